"""Events, in and out of one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from modelport_control_api.alerts.tables import EventRow
from modelport_control_api.alerts.types import EventType
from modelport_control_api.db import statements
from modelport_control_api.db.base import new_id, utc_now
from modelport_control_api.db.paging import Page, read_page
from modelport_control_api.identity import Principal


@dataclass(frozen=True, slots=True)
class Subject:
    """The model that something happened to, and who hears of it: its owner, or who submitted the job."""

    user_id: str
    model_id: str
    model_name: str


@dataclass(frozen=True, slots=True)
class Fact:
    """`key` tells it from others of its type and model; `summary` is one sentence for people."""

    type: EventType
    key: str
    summary: str
    version: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """JSON. Nothing secret: it leaves the platform."""


def record(session: Session, subject: Subject, fact: Fact) -> bool:
    """Tell a fact, in the transaction that makes it one. False: it was told before, and nothing is done."""
    values = {
        "id": new_id(),
        "user_id": subject.user_id,
        "model_id": subject.model_id,
        "type": fact.type,
        "key": fact.key,
        "data": data_of(subject, fact),
        "created_at": utc_now(),
        "pending": True,
    }
    insert = statements.insert(session, EventRow.__table__)
    told = session.execute(insert.values(values).on_conflict_do_nothing().returning(EventRow.id))
    return told.one_or_none() is not None


def data_of(subject: Subject, fact: Fact) -> dict[str, Any]:
    """Return what is told: what all events have, and what those of the type have."""
    return {
        **fact.more,
        "model_id": subject.model_id,
        "model_name": subject.model_name,
        "version": fact.version,
        "summary": fact.summary,
    }


def forget_model(session: Session, model_id: str) -> None:
    """Remove all that was told of a model that is deleted."""
    session.execute(delete(EventRow).where(EventRow.model_id == model_id))


def forget_user(session: Session, user_id: str) -> None:
    """Remove all that was told to an account that ends."""
    session.execute(delete(EventRow).where(EventRow.user_id == user_id))


def hand_over(session: Session, model_id: str, old: str, new: str) -> None:
    """Give what was told of the model itself to its new owner; jobs stay with who submitted them."""
    of_model = (EventRow.model_id == model_id, EventRow.user_id == old, ~EventRow.type.startswith("job."))
    session.execute(
        update(EventRow).where(*of_model).values(user_id=new),
        execution_options={"synchronize_session": False},
    )


def list_page(
    session: Session,
    principal: Principal,
    limit: int,
    cursor: str | None,
    *,
    model_id: str | None = None,
    unread: bool = False,
) -> Page[EventRow]:
    """The caller's own events of models that its credential may use, newest first. Raises `CursorInvalid`."""
    query = _own(select(EventRow), principal)
    if model_id is not None:
        query = query.where(EventRow.model_id == model_id.replace("\0", ""))
    if unread:
        query = query.where(EventRow.read_at.is_(None))
    return read_page(session, query, EventRow, limit, cursor)


def count_unread(session: Session, principal: Principal) -> int:
    """Return how many of the caller's events nobody has marked as read."""
    query = _own(select(func.count()).select_from(EventRow), principal)
    return session.scalar(query.where(EventRow.read_at.is_(None))) or 0


def mark_read(session: Session, principal: Principal, up_to: datetime, event_id: str | None = None) -> None:
    """Mark those that are no newer; or just the one."""
    mine = _own(select(EventRow.id), principal).where(EventRow.read_at.is_(None))
    mine = mine.where(EventRow.created_at <= up_to if event_id is None else EventRow.id == event_id)
    session.execute(
        update(EventRow).where(EventRow.id.in_(mine)).values(read_at=utc_now()),
        execution_options={"synchronize_session": False},
    )


def _own(query: Select[Any], principal: Principal) -> Select[Any]:
    query = query.where(EventRow.user_id == principal.user_id)
    if principal.model_ids is not None:
        query = query.where(EventRow.model_id.in_(principal.model_ids))
    return query
