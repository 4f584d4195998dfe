"""Events, who wants to be sent them, and the messages."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, func
from sqlalchemy import false as sa_false
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base, Identified, utc_now


class EventRow(Identified, Base):
    """One fact that a user may want to hear of. `key`: the same fact, told twice, is one row.

    No foreign keys: jobs are also of models that were applied with kubectl, and a fact is told by who holds
    locks that the end of an account waits for.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("model_id", "type", "key"),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "user_id", "read_at"),
    )

    user_id: Mapped[str] = mapped_column(String(36))
    """Who hears of it."""
    model_id: Mapped[str] = mapped_column(String(127))
    type: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    read_at: Mapped[datetime | None] = mapped_column(default=None)
    pending: Mapped[bool] = mapped_column(default=False, server_default=sa_false(), index=True)
    """Its messages are not made yet."""


class WebhookRow(Identified, Base):
    """`model_id` None: for all models and jobs of the user. `events`: types, or `rollout.*`, or `*`."""

    __tablename__ = "webhooks"
    __table_args__ = (Index(None, "user_id", "created_at", "id"),)

    # Locked in this order by what adds one, and by the end of an account.
    model_id: Mapped[str | None] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(String(200), default="")
    events: Mapped[list[str]] = mapped_column(JSON)
    enabled: Mapped[bool] = mapped_column(default=True)
    suspended: Mapped[bool] = mapped_column(default=False)
    """While its user's account is disabled."""
    secret: Mapped[str] = mapped_column(String(64))
    former_secret: Mapped[str | None] = mapped_column(String(64), default=None)
    former_until: Mapped[datetime | None] = mapped_column(default=None)
    """Until then the former secret signs too."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class DeliveryRow(Identified, Base):
    """One message: of a webhook, or of a job that was submitted with an address of its own."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (Index(None, "webhook_id", "created_at", "id"),)

    job_id: Mapped[str | None] = mapped_column(ForeignKey("batch_jobs.id", ondelete="CASCADE"), index=True)
    webhook_id: Mapped[str | None] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_id: Mapped[str | None] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), index=True)
    type: Mapped[str] = mapped_column(String(40), default="", server_default="")
    body: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)
    """None: delivered or given up."""
    delivered_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    last_status: Mapped[int | None]
    """What the receiver last answered; None: nothing."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now, server_default=func.now())

    @property
    def state(self) -> Literal["waiting", "delivered", "given_up"]:
        if self.delivered_at is not None:
            return "delivered"
        return "given_up" if self.next_try_at is None else "waiting"
