"""Rows of kept predictions, in and out of one transaction."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

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
    query = (
        select(KeptPrediction)
        .join(ModelRow, ModelRow.id == KeptPrediction.model_id)
        .where(KeptPrediction.id == prediction_id, ModelRow.owner_id == owner_id)
    )
    return session.scalars(query).one_or_none()


def add(session: Session, rows: list[dict[str, object]]) -> None:
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


def newest_of_too_many(session: Session, model_id: str, max_rows: int) -> datetime | None:
    """Give the time of the first row beyond the newest `max_rows`; None: there are no more."""
    query = (
        select(KeptPrediction.created_at)
        .where(KeptPrediction.model_id == model_id)
        .order_by(KeptPrediction.created_at.desc(), KeptPrediction.id.desc())
        .offset(max_rows)
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def redacted_fields_by_model(session: Session, ids: Iterable[str]) -> dict[str, list[str]]:
    """Give those of `ids` whose history is on, locked against deletion until the transaction ends."""
    query = (
        select(ModelRow.id, ModelRow.history_redact_fields)
        .where(ModelRow.id.in_(sorted(set(ids))), ModelRow.history_percent.is_not(None))
        .with_for_update(read=True, key_share=True)
    )
    return {row.id: row.history_redact_fields for row in session.execute(query)}


def retention_by_model(session: Session) -> dict[str, int]:
    """Give the days of each model that has rows."""
    has_rows = select(KeptPrediction.id).where(KeptPrediction.model_id == ModelRow.id).exists()
    found = session.execute(select(ModelRow.id, ModelRow.history_retention_days).where(has_rows))
    return {row.id: row.history_retention_days for row in found}
