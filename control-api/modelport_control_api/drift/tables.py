"""References of versions, what gateways counted of live rows, and what was last found.

Nothing here names a row of anybody's data but the categories that a reference lists.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base, Identified, utc_now


class DriftReferenceRow(Identified, Base):
    """`profile`: `drift.profile.Profile` as JSON. A new reference is a new row: its bins are others."""

    __tablename__ = "drift_references"
    __table_args__ = (
        UniqueConstraint("model_id", "number"),
        ForeignKeyConstraint(
            ["model_id", "number"], ["model_versions.model_id", "model_versions.number"], ondelete="CASCADE"
        ),
    )

    model_id: Mapped[str] = mapped_column(String(63))
    number: Mapped[int]
    rows: Mapped[int]
    profile: Mapped[dict[str, Any]] = mapped_column(JSON)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Of `profile`."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class DriftCountsRow(Base):
    """All that was counted in one minute. `counts`: `DriftCounts` but for rows and predictions."""

    __tablename__ = "drift_counts"

    reference_id: Mapped[str] = mapped_column(
        ForeignKey("drift_references.id", ondelete="CASCADE"), primary_key=True
    )
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    rows: Mapped[int]
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    predictions: Mapped[dict[str, int]] = mapped_column(JSON)


class DriftStateRow(Base):
    """What was last found of the version; there while its reference is.

    `pending`: counts have come since. `wanted_rows`: that a window must hold. `clean_from`: the minute from
    which a window must be clean for the state to be ok again. `results`: `records.FeatureResult` as JSON.
    """

    __tablename__ = "drift_states"

    reference_id: Mapped[str] = mapped_column(
        ForeignKey("drift_references.id", ondelete="CASCADE"), primary_key=True
    )
    model_id: Mapped[str] = mapped_column(String(63))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    since: Mapped[datetime] = mapped_column(default=utc_now)
    rows: Mapped[int] = mapped_column(default=0)
    wanted_rows: Mapped[int] = mapped_column(default=0)
    window_start: Mapped[int | None] = mapped_column(BigInteger, default=None)
    window_end: Mapped[int | None] = mapped_column(BigInteger, default=None)
    clean_from: Mapped[int | None] = mapped_column(BigInteger, default=None)
    results: Mapped[list[Any]] = mapped_column("verdicts", JSON, default=list)
    pending: Mapped[bool] = mapped_column(default=False, index=True)

    __table_args__ = (UniqueConstraint("model_id", "number"),)
