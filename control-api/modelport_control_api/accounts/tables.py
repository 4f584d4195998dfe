"""People, their refresh tokens and their browsers' sessions."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base, Identified, utc_now


class User(Identified, Base):
    """`email` is normalised before it comes here, so that its uniqueness ignores case on both databases."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(320), unique=True)
    full_name: Mapped[str | None] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(80))
    is_admin: Mapped[bool] = mapped_column(default=False)
    max_models: Mapped[int | None] = mapped_column(default=None)
    """Of models that it may hold, as `max_bytes` of their files. None: as everybody."""
    max_bytes: Mapped[int | None] = mapped_column(BigInteger, default=None)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


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
    """Lets one person register, once. The row goes when it is withdrawn, never by being used."""

    __tablename__ = "invites"
    __table_args__ = (Index(None, "created_at", "id"),)

    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    note: Mapped[str | None] = mapped_column(String(200))
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
