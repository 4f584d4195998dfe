"""The tables of accounts: users, their refresh tokens and browsers' sessions, API keys, invitations,
links that set a password, and the audit log.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, ForeignKey, Index, String, and_, select
from sqlalchemy.orm import Mapped, mapped_column, synonym

from modelport_control_api.db.base import Base, Identified, utc_now


class ApiKey(Identified, Base):
    """`previous_sha256` is the key before the last rotation; it works until `previous_expires_at`."""

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "user_id", "created_at"), Index(None, "previous_sha256"))

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    key_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(20))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    model_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    previous_sha256: Mapped[str | None] = mapped_column(String(64))
    previous_expires_at: Mapped[datetime | None]


class AuditEntry(Identified, Base):
    """`actor_id` is no foreign key: history outlives its users."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "actor_id", "at"),
        Index(None, "target", "at"),
        Index(None, "at", "id"),
    )

    at: Mapped[datetime] = mapped_column(default=utc_now)
    created_at = synonym("at")
    """As lists by age know it (db/paging.py)."""
    actor_id: Mapped[str | None] = mapped_column(String(36))
    credential: Mapped[str | None] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(255))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    ip: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(128))


class User(Identified, Base):
    """`email` is normalized before it comes here, so that its uniqueness ignores case on both databases."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(320), unique=True)
    full_name: Mapped[str | None] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(80))
    is_admin: Mapped[bool] = mapped_column(default=False)
    max_models: Mapped[int | None] = mapped_column(default=None)
    """Of models that it may hold, as `max_bytes` of their files. None: as everybody."""
    max_bytes: Mapped[int | None] = mapped_column(BigInteger, default=None)
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    """None: enabled. Of a disabled user no password, session, key or invitation works."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def is_working_admin() -> ColumnElement[bool]:
    """The condition on `User` for an administrator who is enabled."""
    return and_(User.is_admin.is_(True), User.disabled_at.is_(None))


class RefreshToken(Identified, Base):
    """One link of a chain: `family_id` is the session, that is one login and all its refreshes.

    A family is revoked as soon as one of its rows is: so a row added meanwhile by another transaction is too.
    """

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index(None, "family_id"), Index(None, "user_id", "expires_at"))

    family_id: Mapped[str] = mapped_column(String(36))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class WebSession(Identified, Base):
    """One browser that is signed in. The row goes when the session ends."""

    __tablename__ = "web_sessions"
    __table_args__ = (Index(None, "user_id", "created_at"), Index(None, "expires_at"))

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    user_agent: Mapped[str | None] = mapped_column(String(200))
    ip: Mapped[str | None] = mapped_column(String(64))


class Invite(Identified, Base):
    """Lets one person register, once, while its maker is an administrator who is enabled.

    The row goes when it is withdrawn, never by being used.
    """

    __tablename__ = "invites"
    __table_args__ = (Index(None, "created_at", "id"),)

    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    note: Mapped[str | None] = mapped_column(String(200))
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class PasswordLink(Identified, Base):
    """Lets one set the user's password, once. The row goes by being used, or when another one is made."""

    __tablename__ = "password_links"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]


def made_by_working_admin(table: type[Invite] | type[PasswordLink]) -> ColumnElement[bool]:
    """What an administrator made ends with the role: a leaver's links are worth nothing."""
    return table.created_by.in_(select(User.id).where(is_working_admin()))
