"""What was last computed of each version, or is being computed."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, ForeignKeyConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base, utc_now

State = Literal["waiting", "computing", "ready", "failed"]
Source = Literal["reference", "history"]


class ImportanceRow(Base):
    """`waiting`: for the version to be ready, while its rows lie in the store as the input of `job_id`."""

    __tablename__ = "version_importance"
    __table_args__ = (
        ForeignKeyConstraint(
            ["model_id", "number"], ["model_versions.model_id", "model_versions.number"], ondelete="CASCADE"
        ),
    )

    model_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(10))
    source: Mapped[str] = mapped_column(String(10))
    reference_id: Mapped[str | None] = mapped_column(String(36))
    """The reference whose rows they are; another one, or none, and it no longer counts."""
    job_id: Mapped[str] = mapped_column(String(36))
    input_format: Mapped[str] = mapped_column(String(10))
    message: Mapped[str] = mapped_column(Text, default="")
    rows: Mapped[int]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """`figures.Importance` as JSON."""
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    computed_at: Mapped[datetime | None] = mapped_column(default=None)
