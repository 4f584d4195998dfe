"""Browsers that are signed in: an opaque token in a cookie, kept here as its hash only."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from modelport_control_api.accounts.tables import User, WebSession
from modelport_control_api.db.base import new_id, utc_now

IDLE_LIFE = timedelta(hours=12)
WHOLE_LIFE = timedelta(days=30)
# A page that polls every three seconds must not write every three seconds.
_SEEN_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True)
class Browser:
    """Where a session is opened from, as its owner will recognize it."""

    ip: str
    user_agent: str


def open_session(session: Session, user_id: str, browser: Browser) -> tuple[WebSession, str]:
    """Sign a browser in. Returns the session and its token, which is returned only this once."""
    _forget_ended(session, user_id)
    token = secrets.token_urlsafe(32)
    row = WebSession(
        id=new_id(),
        user_id=user_id,
        token_sha256=_digest(token),
        expires_at=utc_now() + WHOLE_LIFE,
        user_agent=browser.user_agent.replace("\0", "")[:200],
        ip=browser.ip,
    )
    session.add(row)
    session.flush()
    return row, token


def find(session: Session, token: str) -> tuple[WebSession, User] | None:
    """None: unknown, ended or expired, or the user is disabled."""
    found = session.execute(
        select(WebSession, User)
        .join(User, User.id == WebSession.user_id)
        .where(WebSession.token_sha256 == _digest(token), User.disabled_at.is_(None), *_alive())
    ).one_or_none()
    return None if found is None else (found[0], found[1])


def is_alive(session: Session, session_id: str) -> bool:
    """Whether the session has neither ended nor expired."""
    return bool(session.scalar(select(exists().where(WebSession.id == session_id, *_alive()))))


def list_alive(session: Session, user_id: str) -> Sequence[WebSession]:
    """The last seen first."""
    mine = select(WebSession).where(WebSession.user_id == user_id, *_alive())
    return session.scalars(mine.order_by(WebSession.last_seen_at.desc())).all()


def is_sight_stale(row: WebSession) -> bool:
    """Whether the stored time of its last request is too old to stand for now."""
    return row.last_seen_at < utc_now() - _SEEN_RESOLUTION


def touch(session: Session, session_id: str) -> None:
    """Set the time of its last request to now. Each call writes: check `is_sight_stale` first."""
    session.execute(update(WebSession).where(WebSession.id == session_id).values(last_seen_at=utc_now()))


def end(session: Session, user_id: str, session_id: str) -> bool:
    """False: no such session of this user."""
    ended = delete(WebSession).where(WebSession.id == session_id, WebSession.user_id == user_id)
    return session.execute(ended.returning(WebSession.id)).one_or_none() is not None


def end_others(session: Session, user_id: str, session_id: str) -> None:
    """End every browser's session of the user but this one; all of them if it is none of these."""
    session.execute(delete(WebSession).where(WebSession.user_id == user_id, WebSession.id != session_id))


def _alive() -> tuple[ColumnElement[bool], ...]:
    now = utc_now()
    return (WebSession.expires_at > now, WebSession.last_seen_at > now - IDLE_LIFE)


def _forget_ended(session: Session, user_id: str) -> None:
    now = utc_now()
    ended = or_(WebSession.expires_at <= now, WebSession.last_seen_at <= now - IDLE_LIFE)
    session.execute(delete(WebSession).where(WebSession.user_id == user_id, ended))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
