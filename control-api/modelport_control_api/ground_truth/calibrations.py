"""What was uploaded to calibrate versions with."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from modelport_control_api.db.base import Base, utc_now


class CalibrationRow(Base):
    """`curves`: those of `quality.curves.Calibration` as JSON. Rows of anybody's data are not kept.

    `effects`: of each feature's cells, how many rows there were and how many of them were predicted rightly,
    as `drift.evaluation.effects` has it; the cells are those of the reference `reference_id`.
    """

    __tablename__ = "calibrations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["model_id", "number"], ["model_versions.model_id", "model_versions.number"], ondelete="CASCADE"
        ),
    )

    model_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[int]
    curves: Mapped[dict[str, Any]] = mapped_column(JSON)
    effects: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    reference_id: Mapped[str | None] = mapped_column(String(36), default=None)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def effects_of(session: Session, model_id: str, number: int, reference_id: str) -> Mapping[str, Any]:
    """Return what is known of the cells of this reference; empty: nothing."""
    row = session.get(CalibrationRow, (model_id, number))
    return row.effects if row is not None and row.reference_id == reference_id else {}
