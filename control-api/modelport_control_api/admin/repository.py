"""Numbers and users of the whole platform."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from modelport_control_api.accounts.tables import ApiKey, RefreshToken, User, WebSession
from modelport_control_api.db.base import utc_now
from modelport_control_api.outbox import OutboxRow
from modelport_control_api.registry.tables import BatchJob
from modelport_control_api.usage.tables import UsageBatchRow

_DROPPED_WITHIN = timedelta(days=1)
_UNDER_WAY = ("queued", "running")


class Numbers(TypedDict):
    """The fields of `schemas.SystemHealth` that the database knows."""

    users: int
    outbox_waiting: int
    outbox_oldest_seconds: float | None
    usage_age_seconds: float | None
    usage_dropped: int
    jobs: dict[str, int]


def numbers(session: Session) -> Numbers:
    """Return the numbers of this moment. `outbox_waiting` counts models with a change to publish.

    `usage_dropped`: requests of the last 24 hours. An age is None where nothing waits, or no usage is stored.
    """
    waiting, oldest = session.execute(
        select(func.count(OutboxRow.model_id.distinct()), func.min(OutboxRow.created_at))
    ).one()
    return {
        "users": session.scalar(select(func.count()).select_from(User)) or 0,
        "outbox_waiting": waiting,
        "outbox_oldest_seconds": _age(oldest),
        "usage_age_seconds": _age(session.scalar(select(func.max(UsageBatchRow.received_at)))),
        "usage_dropped": _dropped(session),
        "jobs": _jobs(session),
    }


def last_seen(session: Session, user_ids: Sequence[str]) -> dict[str, datetime]:
    """Of each user the latest login or refresh, page in a browser, or use of a key; none: left out."""
    seen: dict[str, datetime] = {}
    for query in _uses(user_ids):
        for user_id, moment in session.execute(query):
            if moment is not None:
                seen[user_id] = max(moment, seen.get(user_id, moment))
    return seen


def _uses(user_ids: Sequence[str]) -> Iterator[Select[str, datetime | None]]:
    for user, moment in (
        (RefreshToken.user_id, RefreshToken.created_at),
        (WebSession.user_id, WebSession.last_seen_at),
        (ApiKey.user_id, ApiKey.last_used_at),
    ):
        yield select(user, func.max(moment)).where(user.in_(user_ids)).group_by(user)


def _dropped(session: Session) -> int:
    recent = UsageBatchRow.received_at >= utc_now() - _DROPPED_WITHIN
    query = select(func.sum(UsageBatchRow.dropped)).where(UsageBatchRow.dropped > 0, recent)
    return int(session.scalar(query) or 0)


def _jobs(session: Session) -> dict[str, int]:
    query = select(BatchJob.state, func.count()).where(BatchJob.state.in_(_UNDER_WAY))
    found = dict(session.execute(query.group_by(BatchJob.state)).all())
    return {state: found.get(state, 0) for state in _UNDER_WAY}


def _age(moment: datetime | None) -> float | None:
    return None if moment is None else round((utc_now() - moment).total_seconds(), 1)
