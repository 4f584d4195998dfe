"""API keys: 256 random bits for who makes one, stored and found here by their SHA-256."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from modelport_control_api.accounts.tables import ApiKey, User
from modelport_control_api.db.base import utc_now

PREFIX = "mlp_live_"
SHOWN_CHARACTERS = len(PREFIX) + 4


def new_key() -> str:
    """Return the secret of a new key: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def sha256(key: str) -> str:
    """Lowercase hex. No salt or slow hash: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()


def shown_prefix(key: str) -> str:
    """Return the part of the key by which its owner recognizes it."""
    return key[:SHOWN_CHARACTERS]


# A key that is used a hundred times a second must not write a hundred times a second.
LAST_USED_RESOLUTION = timedelta(minutes=1)


def find_active(session: Session, key_sha256: str) -> tuple[ApiKey, User] | None:
    """The key that this digest opens now, as itself or as the one before a rotation within its grace, and
    whose it is.

    None of a user who is disabled.
    """
    in_grace = and_(ApiKey.previous_sha256 == key_sha256, ApiKey.previous_expires_at > utc_now())
    of_digest = or_(ApiKey.key_sha256 == key_sha256, in_grace)
    found = session.execute(select(ApiKey, User).where(of_digest, *_usable())).one_or_none()
    return None if found is None else (found[0], found[1])


def count_unexpired(session: Session, user_id: str) -> int:
    """Return how many of the user's keys have not expired. A rotated key counts once."""
    mine = select(func.count()).select_from(ApiKey).where(ApiKey.user_id == user_id, _unexpired())
    return session.scalars(mine).one()


def newest_digests(session: Session, most: int) -> Sequence[str]:
    """The digests of keys that have not expired, of users who are enabled, those used last first."""
    last_used = func.coalesce(ApiKey.last_used_at, ApiKey.created_at)
    usable = select(ApiKey.key_sha256).where(*_usable())
    return session.scalars(usable.order_by(last_used.desc()).limit(most)).all()


def _usable() -> tuple[ColumnElement[bool], ...]:
    """With its user, who is joined by it."""
    return (User.id == ApiKey.user_id, User.disabled_at.is_(None), _unexpired())


def _unexpired() -> ColumnElement[bool]:
    return or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > utc_now())


def expiry_of(key: ApiKey, key_sha256: str) -> datetime | None:
    """When this digest stops working, which for a rotated key is earlier than for the new one."""
    if key.key_sha256 == key_sha256:
        return key.expires_at
    ends = [moment for moment in (key.expires_at, key.previous_expires_at) if moment]
    return min(ends)


def is_use_stale(key: ApiKey) -> bool:
    """Whether the stored time of its last use is too old to stand for now."""
    return key.last_used_at is None or key.last_used_at < utc_now() - LAST_USED_RESOLUTION


def touch(session: Session, key_id: str) -> None:
    """Set the time of the key's last use to now. Each call writes: check `is_use_stale` first."""
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=utc_now()))
