"""The outbox: which models changed since the cluster was last told, written with the change itself."""

from collections.abc import Collection

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from modelport_control_api.registry.tables import OutboxRow


def record_change(session: Session, model_id: str) -> None:
    """Must be in the transaction of the change: then neither exists without the other."""
    session.add(OutboxRow(model_id=model_id))


def pending(session: Session) -> dict[str, int]:
    """Give each model that changed with the id of its latest entry, oldest change first."""
    latest = func.max(OutboxRow.id)
    query = select(OutboxRow.model_id, latest).group_by(OutboxRow.model_id).order_by(func.min(OutboxRow.id))
    return {model_id: int(entry) for model_id, entry in session.execute(query)}


def waiting_among(session: Session, model_ids: Collection[str]) -> set[str]:
    """Give those of `model_ids` that the cluster has yet to be told of."""
    query = select(OutboxRow.model_id).where(OutboxRow.model_id.in_(model_ids)).distinct()
    return set(session.scalars(query))


def mark_published(session: Session, model_id: str, up_to: int) -> None:
    """Entries that came meanwhile stay: they tell of a later change."""
    session.execute(delete(OutboxRow).where(OutboxRow.model_id == model_id, OutboxRow.id <= up_to))
