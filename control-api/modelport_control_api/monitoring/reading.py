"""What is known about drift, for the calls of docs/api.md, for pages, and for analytics."""

from collections.abc import Collection
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any

from sqlalchemy.orm import Session

from modelport_control_api.drift import repository
from modelport_control_api.drift.evaluation.evaluate import Counted
from modelport_control_api.drift.messages import season_advice, summarize
from modelport_control_api.drift.profiles.csv_rows import ReferenceNotFound
from modelport_control_api.drift.profiles.drawing import drawn_row
from modelport_control_api.drift.profiles.profile import from_json, match
from modelport_control_api.drift.records import counted_now
from modelport_control_api.drift.schemas import (
    FeatureAnswer,
    PredictionDistribution,
    ReferenceAnswer,
    VersionDataDrift,
    Window,
)
from modelport_control_api.drift.tables import DriftReferenceRow
from modelport_control_api.monitoring.charts import distribution, feature_response
from modelport_control_api.monitoring.wiring import DriftServices
from modelport_control_api.registry.errors import VersionNotFound
from modelport_control_api.registry.records import ModelRecord, VersionRecord


async def read_drift(services: DriftServices, record: ModelRecord, version: str) -> VersionDataDrift:
    """How the version's live inputs compare with its reference. Raises VersionNotFound."""
    found = find_version(record, version)
    return await services.models.transactions.read(lambda session: _read(session, services, record, found))


async def read_reference(services: DriftServices, record: ModelRecord, version: str) -> ReferenceAnswer:
    """Raises VersionNotFound, ReferenceNotFound."""
    found = find_version(record, version)

    def read(session: Session) -> ReferenceAnswer:
        row = repository.find_reference(session, record.id, found.number)
        if row is None:
            raise ReferenceNotFound(f"The version {version} has no reference.")
        return reference_response(services, row)

    return await services.models.transactions.read(read)


async def draw_row(services: DriftServices, record: ModelRecord, version: str) -> dict[int, Any]:
    """Return a row like those of the version's reference: values by the place of their column, all that can
    be drawn. Raises VersionNotFound.
    """
    found = find_version(record, version)
    signature = services.signature_of(record.id, found.number) or {}

    def read(session: Session) -> dict[int, Any]:
        row = repository.find_reference(session, record.id, found.number)
        if row is None:
            return {}
        matched = match(from_json(row.profile), signature)
        return drawn_row(matched, signature.get("columns") or (), SystemRandom())

    return await services.models.transactions.read(read)


def reference_response(services: DriftServices, row: DriftReferenceRow) -> ReferenceAnswer:
    """Return the reference, with the columns that the version's signature does not have."""
    profile = from_json(row.profile)
    matched = match(profile, services.signature_of(row.model_id, row.number))
    return ReferenceAnswer(
        rows=row.rows,
        features=len(matched.columns),
        unmatched=list(matched.unmatched),
        time_column=profile.time_column,
        created_at=row.created_at,
    )


def prediction_distribution(
    session: Session, model_id: str, versions: Collection[str] | None, start_minute: int, end_minute: int
) -> PredictionDistribution | None:
    """Predictions of sampled requests in these minutes since 1970, the end excluded; of all versions if None.

    None: no version of the model has a reference, or nothing was sampled.
    """
    numbers = None
    if versions is not None:
        numbers = {int(name[1:]) for name in versions if name[:1] == "v" and name[1:].isdecimal()}
    return distribution(repository.predictions_between(session, model_id, numbers, start_minute, end_minute))


def find_version(record: ModelRecord, name: str) -> VersionRecord:
    """Return the version of this name. Raises `VersionNotFound`."""
    version = record.version(name)
    if version is None:
        raise VersionNotFound(f"The model has no version {name}.")
    return version


def _read(
    session: Session, services: DriftServices, record: ModelRecord, version: VersionRecord
) -> VersionDataDrift:
    thresholds = services.thresholds_of(record.data_drift)
    row = repository.find_reference(session, record.id, version.number) if version.data_drift else None
    minutes = repository.newest(session, row.id, thresholds.window_rows) if row else []
    live = repository.counted(minutes)
    found = version.data_drift and counted_now(version.data_drift, live.rows, thresholds.window_rows)
    summary = summarize(found)
    window = None
    if live.rows >= thresholds.window_rows:
        window = Window(start=_time(minutes[-1].minute), end=_time(minutes[0].minute + 1), rows=live.rows)
    reference = reference_response(services, row) if row else None
    weekend_rows = from_json(row.profile).weekend_rows if row else 0
    advice = season_advice(summary.state, reference, window, weekend_rows=weekend_rows)
    return VersionDataDrift(
        model=record.id,
        version=version.name,
        state=summary.state,
        message=summary.message + advice,
        since=summary.since,
        rows=live.rows,
        thresholds=thresholds,
        reference=reference,
        window=window,
        features=_features(services, row, version, live if window else None) if row else [],
        predictions=distribution([live.predictions]),
    )


def _features(
    services: DriftServices, row: DriftReferenceRow, version: VersionRecord, live: Counted | None
) -> list[FeatureAnswer]:
    """In the order of what was last found of them, then in the model's."""
    results = {each.name: each for each in version.data_drift.results} if version.data_drift else {}
    columns = match(from_json(row.profile), services.signature_of(row.model_id, row.number)).columns
    order = {name: at for at, name in enumerate(results)}
    features = [
        feature_response(
            column,
            live.features.get(column.name) if live else None,
            results.get(column.name),
        )
        for column in columns
    ]
    return sorted(features, key=lambda feature: order.get(feature.name, len(order)))


def _time(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
