"""Rows of stored predictions: what gateways send is written while its owner wants it, and read by their
filters.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from modelport_telemetry.usage import kept_prediction
from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from modelport_control_api.db.base import new_id
from modelport_control_api.db.paging import Page, read_page
from modelport_control_api.history.schemas import Filter
from modelport_control_api.history.tables import KeptPrediction
from modelport_control_api.registry.tables import ModelRow

SLICE_ROWS = 1000


def page(
    session: Session, model_id: str, wanted: Filter, *, limit: int, cursor: str | None
) -> Page[KeptPrediction]:
    """Newest first. Raises CursorInvalid."""
    query = select(KeptPrediction).where(KeptPrediction.model_id == model_id, *_conditions(wanted))
    return read_page(session, query, KeptPrediction, limit, cursor)


def _conditions(wanted: Filter) -> Iterable[ColumnElement[bool]]:
    if wanted.start is not None:
        yield KeptPrediction.created_at >= wanted.start
    if wanted.end is not None:
        yield KeptPrediction.created_at < wanted.end
    if wanted.version is not None:
        yield KeptPrediction.version == wanted.version
    match wanted.outcome:
        case None:
            return
        case "ok":
            yield KeptPrediction.status < 400
        case "error":
            yield KeptPrediction.status >= 400
        case reason:
            yield KeptPrediction.reason == reason


def find_of_owner(session: Session, owner_id: str, prediction_id: str) -> KeptPrediction | None:
    """Return the stored prediction; None: there is none, or it is someone else's."""
    query = (
        select(KeptPrediction)
        .join(ModelRow, ModelRow.id == KeptPrediction.model_id)
        .where(KeptPrediction.id == prediction_id, ModelRow.owner_id == owner_id)
    )
    return session.scalars(query).one_or_none()


def add(session: Session, rows: list[dict[str, object]]) -> None:
    """Insert rows, each given by its columns' names. An empty list is no error."""
    if rows:
        session.execute(insert(KeptPrediction), rows)


def delete_slice(session: Session, model_id: str, *conditions: ColumnElement[bool]) -> int:
    """Delete the oldest so many of them; give how many: fewer than SLICE_ROWS were the last."""
    oldest = (
        select(KeptPrediction.id)
        .where(KeptPrediction.model_id == model_id, *conditions)
        .order_by(KeptPrediction.created_at, KeptPrediction.id)
        .limit(SLICE_ROWS)
        # Several control APIs delete at once: each takes others.
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(oldest).all()
    if ids:
        session.execute(delete(KeptPrediction).where(KeptPrediction.id.in_(ids)))
    return len(ids)


def delete_of_models(session: Session, model_ids: Collection[str]) -> None:
    """Delete all that is stored of these models."""
    session.execute(delete(KeptPrediction).where(KeptPrediction.model_id.in_(model_ids)))


def newest_of_too_many(session: Session, model_id: str, max_rows: int) -> datetime | None:
    """Return the time of the first row beyond the newest `max_rows`; None: there are no more."""
    query = (
        select(KeptPrediction.created_at)
        .where(KeptPrediction.model_id == model_id)
        .order_by(KeptPrediction.created_at.desc(), KeptPrediction.id.desc())
        .offset(max_rows)
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def redacted_fields_by_model(session: Session, ids: Iterable[str]) -> dict[str, list[str]]:
    """Return those of `ids` whose history is on, locked against deletion until the transaction ends."""
    query = (
        select(ModelRow.id, ModelRow.history_redact_fields)
        .where(ModelRow.id.in_(sorted(set(ids))), ModelRow.history_percent.is_not(None))
        .with_for_update(read=True, key_share=True)
    )
    return {row.id: row.history_redact_fields for row in session.execute(query)}


def retention_by_model(session: Session) -> dict[str, int]:
    """Return the days of each model that has rows."""
    has_rows = select(KeptPrediction.id).where(KeptPrediction.model_id == ModelRow.id).exists()
    found = session.execute(select(ModelRow.id, ModelRow.history_retention_days).where(has_rows))
    return {row.id: row.history_retention_days for row in found}


def write(session: Session, payloads: list[bytes]) -> None:
    """The handler of `history`. What is of no model, or of one whose history is off, is left out.

    Raises ValueError if a payload is none.
    """
    arrived = [kept_prediction.decode(payload) for payload in payloads]
    keeping = redacted_fields_by_model(session, {each.model for each in arrived})
    add(session, [_row(each) for each in arrived if _is_wanted(each, keeping)])


def _is_wanted(kept: kept_prediction.KeptPrediction, keeping: Mapping[str, Sequence[str]]) -> bool:
    # A gateway that has not heard of a change yet sends what the owner no longer wants to be kept.
    redact = keeping.get(kept.model)
    return redact is not None and set(redact) <= set(kept.redacted_fields)


def _row(kept: kept_prediction.KeptPrediction) -> dict[str, object]:
    return {
        "id": new_id(),
        "model_id": kept.model,
        "version": kept.version,
        "created_at": datetime.fromtimestamp(kept.at, UTC),
        "caller_id": kept.caller,
        "api_key_id": kept.api_key,
        "request_id": kept.request_id,
        "status": kept.status,
        "reason": kept.reason,
        "cache": kept.cache,
        "seconds": kept.seconds,
        "request": kept.request,
        "request_bytes": kept.request_bytes,
        "answer": kept.answer,
        "truncated": kept.truncated,
    }
