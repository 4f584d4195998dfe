"""Importance as its callers see it: what is known of a version, and computing it from history."""

from collections.abc import Sequence

import msgspec
from modelport_http.wording import counted
from sqlalchemy.orm import Session

from modelport_control_api.batch.formats.layout import InputSignature
from modelport_control_api.batch.options import contributions_problem
from modelport_control_api.errors import DomainError
from modelport_control_api.history.service import require_own
from modelport_control_api.identity import Principal
from modelport_control_api.importance import repository
from modelport_control_api.importance.figures import Importance, Sums
from modelport_control_api.importance.rows import FEWEST_ROWS, of_history
from modelport_control_api.importance.schemas import ColumnImportance, ImportanceAnswer, SumImportance
from modelport_control_api.importance.tables import ImportanceRow
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry.errors import VersionNotFound
from modelport_control_api.registry.records import ModelRecord, VersionRecord


class ImportanceNotFound(DomainError):
    """Nothing was computed of the version."""

    status = 404


class NoImportance(DomainError):
    """It cannot be computed."""

    status = 409


_HOW = (
    "Upload its training data as CSV (PUT /api/v1/models/{model}/versions/{version}/reference, or modelport "
    "drift {model} --version {version} --reference FILE.csv), and it is computed of those rows; or, where "
    "predictions are kept, a POST to where this is read computes it of those."
)


async def read(services: ModelsServices, record: ModelRecord, version: str) -> ImportanceAnswer:
    """Raises VersionNotFound, ImportanceNotFound, NoImportance."""
    found = find_version(record, version)

    def load(session: Session) -> ImportanceAnswer | None:
        row = repository.current(session, record.id, found.number)
        return None if row is None else respond(row)

    response = await services.transactions.read(load)
    if response is None:
        require_contributions(services, record.id, version)
        how = _HOW.format(model=record.id, version=version)
        raise ImportanceNotFound(f"No importance was computed of {version}. {how}")
    return response


def rows_of_history(
    session: Session, principal: Principal, record: ModelRecord, version: VersionRecord
) -> tuple[bytes, int]:
    """Raises ModelNotFound for other users' models, to administrators too; NoImportance for too few rows."""
    require_own(session, principal, record.id)
    data, rows = of_history(session, record.id, version.name)
    if rows < FEWEST_ROWS:
        raise NoImportance(
            f"History has {counted(rows, 'row')} of {version.name} that can be used, and it takes "
            f"{FEWEST_ROWS} or more. Keep predictions (modelport update {record.id} --history 100) and try "
            "again when there are more, or upload the training data as the version's reference. What was "
            "refused, hidden in part (redact_fields), too long to be kept, or sent by the Open Inference "
            "Protocol does not count."
        )
    return data, rows


def require_contributions(services: ModelsServices, model_id: str, version: str) -> None:
    """Raises NoImportance for a version that is ready and has none, or too many."""
    live = services.statuses.get(model_id)
    known = live.status.version(version) if live else None
    if known is None or not known.answered:
        return
    if problem := contributions_problem(InputSignature.read(known.signature)):
        raise NoImportance(f"Importance is the mean of contributions: it {problem}.")


def find_version(record: ModelRecord, name: str) -> VersionRecord:
    """Raises VersionNotFound."""
    version = record.version(name)
    if version is None:
        raise VersionNotFound(f"The model has no version {name}.")
    return version


def respond(row: ImportanceRow) -> ImportanceAnswer:
    """Return what callers see of it."""
    found = None if row.result is None else msgspec.convert(row.result, Importance)
    sums = list(found.by_class.values()) if found else []
    has_classes = len(sums) > 1
    return ImportanceAnswer(
        model=row.model_id,
        version=f"v{row.number}",
        state="computing" if row.state in repository.UNFINISHED else row.state,  # type: ignore[arg-type]
        message=row.message,
        source=row.source,  # type: ignore[arg-type]
        rows=row.rows,
        scale=found.scale if found else None,
        class_=found.of_class if found else None,
        base=sums[0].base if len(sums) == 1 else None,
        columns=_ranked(found.columns, found.means) if found else [],
        classes={key: _sum(found.columns, each) for key, each in found.by_class.items()}
        if found and has_classes
        else None,
        started_at=row.started_at,
        computed_at=row.computed_at,
    )


def _sum(names: Sequence[str], sums: Sums) -> SumImportance:
    return SumImportance(base=sums.base, columns=_ranked(names, sums.means))


def _ranked(names: Sequence[str], means: Sequence[float]) -> list[ColumnImportance]:
    total = sum(means) or 1.0
    pairs = sorted(zip(names, means, strict=True), key=lambda pair: -pair[1])
    return [ColumnImportance(name=name, mean=mean, share=mean / total) for name, mean in pairs]
