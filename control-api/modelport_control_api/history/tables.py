"""Stored predictions: requests, as the gateway redacted them, and responses."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base, Identified


class KeptPrediction(Identified, Base):
    """`request` and `answer` are JSON texts; None: too long (`truncated`), or no JSON.

    `created_at`: when its response was sent, by the gateway's clock.
    """

    __tablename__ = "prediction_history"
    __table_args__ = (Index(None, "model_id", "created_at", "id"),)

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    version: Mapped[str] = mapped_column(String(63))
    created_at: Mapped[datetime]
    caller_id: Mapped[str] = mapped_column(String(36))
    """The user's id; empty without a credential."""
    api_key_id: Mapped[str] = mapped_column(String(36))
    request_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    reason: Mapped[str] = mapped_column(String(63))
    cache: Mapped[str] = mapped_column(String(10))
    seconds: Mapped[float]
    request: Mapped[str | None] = mapped_column(Text)
    request_bytes: Mapped[int] = mapped_column(BigInteger)
    """Of the body as it was sent."""
    answer: Mapped[str | None] = mapped_column(Text)
    truncated: Mapped[bool]
