"""What was last computed for Prometheus: a scrape computes nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base


class QualityGaugesRow(Base):
    """Of one model. `versions`: what `GET …/quality` says of each as a whole, without its buckets."""

    __tablename__ = "quality_gauges"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    versions: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    computed_at: Mapped[datetime]
