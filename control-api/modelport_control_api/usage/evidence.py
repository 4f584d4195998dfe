"""What the ledger has of a rollout."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.usage.tables import RolloutEvidence

Counts = dict[str, dict[str, int]]
"""Step → counter → count."""


def read(session: Session, model_id: str, rollout: int) -> Counts:
    """Return what is counted of it; empty where nothing came yet."""
    query = (
        select(RolloutEvidence.step, RolloutEvidence.counter, RolloutEvidence.count)
        .where(RolloutEvidence.model_id == model_id, RolloutEvidence.rollout == rollout)
        .order_by(RolloutEvidence.step, RolloutEvidence.counter)
    )
    counts: Counts = {}
    for step, counter, count in session.execute(query):
        counts.setdefault(step, {})[counter] = count
    return counts
