"""Sessions: chains of refresh tokens, each usable once. A second use means theft and ends the chain.

But for a few seconds: two programs that share a session, or one whose response was lost, are no thieves.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from modelport_control_api.accounts.tables import RefreshToken
from modelport_control_api.db.base import new_id, utc_now

Successor = Callable[[str, datetime], str]
"""From a refresh token, and when it was used first, to the next one; the same each time."""

_SAME_AGAIN = timedelta(seconds=5)


@dataclass(frozen=True)
class Rotated:
    user_id: str
    family_id: str
    refresh_token: str
    at: datetime
    """When it was exchanged for the first time."""


@dataclass(frozen=True)
class ApiLogin:
    """One live session of the API: since when, and when its token was last refreshed."""

    id: str
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True)
class Reused:
    """A token that was used before came again: its family has been revoked in this transaction."""

    user_id: str
    family_id: str


def open_family(session: Session, user_id: str, life: timedelta) -> tuple[str, str]:
    """Start a session. Returns its id and its first refresh token."""
    _forget_expired(session, user_id)
    family_id = new_id()
    refresh_token = secrets.token_urlsafe(32)
    _add_token(session, user_id, family_id, refresh_token, life)
    return family_id, refresh_token


def rotate(
    session: Session, refresh_token: str, life: timedelta, successor: Successor
) -> Rotated | Reused | None:
    """Exchange a token for the next one. None: unknown, expired or of a revoked family."""
    digest, now = _digest(refresh_token), utc_now()
    # One statement both checks and marks: of two simultaneous uses exactly one finds it unused.
    owner = session.execute(
        update(RefreshToken)
        .where(RefreshToken.token_sha256 == digest, *_usable())
        .values(used_at=now)
        .returning(RefreshToken.user_id, RefreshToken.family_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if owner is None:
        return _use_again(session, refresh_token, successor)
    following = successor(refresh_token, now)
    _add_token(session, owner.user_id, owner.family_id, following, life)
    return Rotated(owner.user_id, owner.family_id, following, now)


def find(session: Session, refresh_token: str) -> RefreshToken | None:
    """Return the token's row, also of one that was used or revoked; None: there is none."""
    return _find(session, _digest(refresh_token))


def revoke_family(session: Session, family_id: str) -> None:
    """End the session: none of its refresh tokens works any more. An unknown id is no error."""
    _revoke(session, RefreshToken.family_id == family_id)


def revoke_others(session: Session, user_id: str, family_id: str) -> None:
    """End every session of the user but this one; all of them if it is none of these."""
    _revoke(session, RefreshToken.user_id == user_id, RefreshToken.family_id != family_id)


def revoke_own(session: Session, user_id: str, family_id: str) -> bool:
    """False: no such live session of this user."""
    mine = select(exists().where(RefreshToken.user_id == user_id, RefreshToken.family_id == family_id))
    if not session.scalar(mine) or not is_alive(session, family_id):
        return False
    revoke_family(session, family_id)
    return True


def list_alive(session: Session, user_id: str) -> Sequence[ApiLogin]:
    """The last seen first."""
    alive = select(RefreshToken.family_id).where(RefreshToken.user_id == user_id, *_usable())
    last_seen = func.max(RefreshToken.created_at)
    rows = session.execute(
        select(RefreshToken.family_id, func.min(RefreshToken.created_at), last_seen)
        .where(RefreshToken.family_id.in_(alive))
        .group_by(RefreshToken.family_id)
        .order_by(last_seen.desc())
    )
    return [ApiLogin(*row) for row in rows]


def is_alive(session: Session, family_id: str) -> bool:
    """Whether a token of the session can still be used."""
    return bool(session.scalar(select(exists().where(RefreshToken.family_id == family_id, *_usable()))))


def _usable() -> tuple[ColumnElement[bool], ...]:
    sibling = aliased(RefreshToken)
    revoked = exists().where(sibling.family_id == RefreshToken.family_id, sibling.revoked_at.is_not(None))
    return (RefreshToken.used_at.is_(None), RefreshToken.expires_at > utc_now(), ~revoked)


def _use_again(session: Session, refresh_token: str, successor: Successor) -> Rotated | Reused | None:
    row = _find(session, _digest(refresh_token))
    if row is None or row.used_at is None:
        return None
    if utc_now() - row.used_at > _SAME_AGAIN:
        revoke_family(session, row.family_id)
        return Reused(row.user_id, row.family_id)
    following = successor(refresh_token, row.used_at)
    known = find(session, following)
    if known is None or not is_alive(session, row.family_id):
        return None
    return Rotated(row.user_id, row.family_id, following, row.used_at)


def _find(session: Session, digest: str) -> RefreshToken | None:
    return session.scalars(select(RefreshToken).where(RefreshToken.token_sha256 == digest)).one_or_none()


def _revoke(session: Session, *which: ColumnElement[bool]) -> None:
    session.execute(
        update(RefreshToken)
        .where(*which, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=utc_now())
        .execution_options(synchronize_session=False)
    )


def _add_token(session: Session, user_id: str, family_id: str, refresh_token: str, life: timedelta) -> None:
    session.add(
        RefreshToken(
            user_id=user_id,
            family_id=family_id,
            token_sha256=_digest(refresh_token),
            expires_at=utc_now() + life,
        )
    )


def _forget_expired(session: Session, user_id: str) -> None:
    session.execute(
        delete(RefreshToken)
        .where(RefreshToken.user_id == user_id, RefreshToken.expires_at < utc_now())
        .execution_options(synchronize_session=False)
    )


def _digest(refresh_token: str) -> str:
    return hashlib.sha256(refresh_token.encode()).hexdigest()
