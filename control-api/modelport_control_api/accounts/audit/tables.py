"""The audit log: rows are written once and never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column, synonym

from modelport_control_api.db.base import Base, Identified, utc_now


class AuditEntry(Identified, Base):
    """`actor_id` is no foreign key: history outlives its people."""

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
