"""Events: one row for each fact that a user may want to hear of."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base, Identified, utc_now


class EventRow(Identified, Base):
    """`key`: the same fact, told twice, is one row. `model_id` is no foreign key: jobs are also of models
    that were applied with kubectl.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("model_id", "type", "key"),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "user_id", "read_at"),
    )

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """Who hears of it."""
    model_id: Mapped[str] = mapped_column(String(127))
    type: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    read_at: Mapped[datetime | None] = mapped_column(default=None)
