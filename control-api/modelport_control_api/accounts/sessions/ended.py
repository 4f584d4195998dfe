"""The end of a user's sessions all at once, and how gateways hear of it: they check access tokens alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from modelport_process.background import every
from modelport_store.store import tokens_ended_mark
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.accounts.sessions import api_sessions, web_sessions
from modelport_control_api.accounts.tables import AuditEntry
from modelport_control_api.accounts.wiring import AccountServices
from modelport_control_api.db.base import utc_now

# A gateway accepts a token for some seconds longer than it lives.
_LEEWAY_SECONDS = 60
_AGAIN_SECONDS = 30.0
_ENDING = ("user.disable", "user.demote", "user.delete", "user.set_password")
_NONE = ""


def end_all(session: Session, user_id: str, *, but: str = _NONE) -> None:
    """`but`: the id of the session that goes on. Call `report` once it is committed."""
    api_sessions.revoke_others(session, user_id, but)
    web_sessions.end_others(session, user_id, but)


def report(services: AccountServices, user_id: str) -> None:
    """Have gateways refuse the access tokens that the user was issued until now. On the event loop."""
    _mark(services, user_id, utc_now())


async def keep_reporting(services: AccountServices) -> None:
    """A store may have been away when they ended, or have forgotten: one in memory, a Redis that restarts."""
    step = partial(report_recent, services)
    await every(_AGAIN_SECONDS, step, failed="ended_tokens_not_reported")


async def report_recent(services: AccountServices) -> None:
    """Report all that ended while tokens of before may be alive."""
    since = utc_now() - _kept(services)
    ended = await services.transactions.read(lambda session: dict(_ended_since(session, since)))
    for user_id, at in ended.items():
        _mark(services, user_id, at)


def _mark(services: AccountServices, user_id: str, at: datetime) -> None:
    value = str(at.timestamp()).encode()
    services.store.put_nowait(tokens_ended_mark(user_id), value, _kept(services).total_seconds())


def _kept(services: AccountServices) -> timedelta:
    """Tokens that were issued before then have expired."""
    return timedelta(seconds=services.settings.access_token_seconds + _LEEWAY_SECONDS)


def _ended_since(session: Session, since: datetime) -> Iterator[tuple[str, datetime]]:
    """The latest comes last. The audit log knows accounts that are gone, too."""
    recent = select(AuditEntry).where(AuditEntry.at > since, AuditEntry.action.in_((*_ENDING, "user.change")))
    for entry in session.scalars(recent.order_by(AuditEntry.at)):
        if entry.action in _ENDING or "password" in entry.detail.get("changed", ()):
            yield entry.target.removeprefix("user:"), entry.at
