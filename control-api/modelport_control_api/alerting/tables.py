"""What was last told of each model's state."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base

UNTOLD = "untold"
"""Of a model that was there before states were told: it is ready long since, and nobody wants to hear it."""


class ModelStateRow(Base):
    """`changes` counts up, and so names each change."""

    __tablename__ = "told_states"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    status: Mapped[str] = mapped_column(String(10), default="")
    """As the API says it; empty: nothing was told yet."""
    version: Mapped[str] = mapped_column(String(63), default="")
    changes: Mapped[int] = mapped_column(default=0)
