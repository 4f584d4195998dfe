"""What was uploaded to calibrate versions with."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base, utc_now


class CalibrationRow(Base):
    """`curves`: those of `quality.curves.Calibration` as JSON. Rows of anybody's data are not kept."""

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
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
