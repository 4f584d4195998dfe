"""The tables of models and their versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from modelport_control_api.db.base import Base, utc_now
from modelport_control_api.drift.tables import DriftStateRow

DEFAULT_CACHE_TTL_SECONDS = 3600
DEFAULT_TIMEOUT_SECONDS = 30
DEFAULT_ACCELERATION = "auto"
DEFAULT_HISTORY_RETENTION_DAYS = 30
DEFAULT_HISTORY_MAX_ROW_BYTES = 16_384


class ModelRow(Base):
    """`last_version` counts up for ever: a name like v2 never means two different files."""

    __tablename__ = "models"
    __table_args__ = (Index(None, "owner_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(63), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text, default="")
    access: Mapped[str] = mapped_column(String(20), default="private")
    cache_ttl_seconds: Mapped[int | None] = mapped_column(default=DEFAULT_CACHE_TTL_SECONDS)
    rate_limit_requests: Mapped[int | None] = mapped_column(default=None)
    rate_limit_period_seconds: Mapped[int] = mapped_column(default=60)
    timeout_seconds: Mapped[int] = mapped_column(default=DEFAULT_TIMEOUT_SECONDS)
    acceleration: Mapped[str] = mapped_column(
        String(10), default=DEFAULT_ACCELERATION, server_default=DEFAULT_ACCELERATION
    )
    history_percent: Mapped[int | None] = mapped_column(default=None)
    history_retention_days: Mapped[int] = mapped_column(
        default=DEFAULT_HISTORY_RETENTION_DAYS, server_default=str(DEFAULT_HISTORY_RETENTION_DAYS)
    )
    """Holds for the rows that are there also once no more are kept."""
    history_redact_fields: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    history_max_row_bytes: Mapped[int] = mapped_column(
        default=DEFAULT_HISTORY_MAX_ROW_BYTES, server_default=str(DEFAULT_HISTORY_MAX_ROW_BYTES)
    )
    drift_psi_threshold: Mapped[float | None] = mapped_column(default=None)
    drift_alpha: Mapped[float | None] = mapped_column(default=None)
    drift_window_rows: Mapped[int | None] = mapped_column(default=None)
    traffic: Mapped[dict[str, int]] = mapped_column(JSON)
    previous_traffic: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True), default=None)
    last_version: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    versions: Mapped[list["VersionRow"]] = relationship(
        order_by="VersionRow.number", lazy="selectin", cascade="all, delete-orphan", passive_deletes=True
    )


class VersionRow(Base):
    """`sha256` names a file of the artifact store, which lives as long as a row does that names it."""

    __tablename__ = "model_versions"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    framework: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    sample: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    drift_state: Mapped[DriftStateRow | None] = relationship(
        primaryjoin=(
            "and_(VersionRow.model_id == foreign(DriftStateRow.model_id), "
            "VersionRow.number == foreign(DriftStateRow.number))"
        ),
        lazy="selectin",
        viewonly=True,
    )
