"""The outbox: which models changed since the cluster was last updated, written with the change itself."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from modelport_control_api.db.base import Base, utc_now


class OutboxRow(Base):
    """One model that the cluster must hear of. `model_id` is no foreign key: deletions are published too."""

    __tablename__ = "outbox"
    # SQLite would give the id of a deleted last row again, and "published up to 7" would cover a new change.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    model_id: Mapped[str] = mapped_column(String(63), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def record_change(session: Session, model_id: str) -> None:
    """Must be in the transaction of the change: then neither exists without the other."""
    session.add(OutboxRow(model_id=model_id))


def pending(session: Session) -> dict[str, int]:
    """Return each model that changed with the id of its latest entry, oldest change first."""
    latest = func.max(OutboxRow.id)
    query = select(OutboxRow.model_id, latest).group_by(OutboxRow.model_id).order_by(func.min(OutboxRow.id))
    return {model_id: int(entry) for model_id, entry in session.execute(query)}


def waiting_among(session: Session, model_ids: Collection[str]) -> set[str]:
    """Return those of `model_ids` whose last change is not yet published."""
    query = select(OutboxRow.model_id).where(OutboxRow.model_id.in_(model_ids)).distinct()
    return set(session.scalars(query))


def mark_published(session: Session, model_id: str, up_to: int) -> None:
    """Entries that came meanwhile stay: they stand for a later change."""
    session.execute(delete(OutboxRow).where(OutboxRow.model_id == model_id, OutboxRow.id <= up_to))
