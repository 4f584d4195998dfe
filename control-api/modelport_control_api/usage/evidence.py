"""What the ledger has of a rollout."""

from modelport_evidence.counters import is_of_segment
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from modelport_control_api.ground_truth import of_rollouts
from modelport_control_api.usage.tables import RolloutEvidence

Counts = dict[str, dict[str, int]]
"""Step → counter → count."""


def read(session: Session, model_id: str, rollout: int) -> Counts:
    """Return what is counted of it, and of what was told of its rows; empty where nothing came yet."""
    query = (
        select(RolloutEvidence.step, RolloutEvidence.counter, RolloutEvidence.count)
        .where(RolloutEvidence.model_id == model_id, RolloutEvidence.rollout == rollout)
        .order_by(RolloutEvidence.step, RolloutEvidence.counter)
    )
    counts: Counts = {}
    for step, counter, count in session.execute(query):
        counts.setdefault(step, {})[counter] = count
    for step, known in of_rollouts.counts(session, model_id, rollout).items():
        counts.setdefault(step, {}).update(known)
    return counts


def without_segments(counts: Counts) -> Counts:
    """Return what may stay when the rollout is over."""
    return {
        step: {counter: count for counter, count in found.items() if not is_of_segment(counter)}
        for step, found in counts.items()
    }


def counted(session: Session) -> set[tuple[str, int]]:
    """Return of which rollouts, each as model and number, the ledger has anything."""
    query = select(RolloutEvidence.model_id, RolloutEvidence.rollout).distinct()
    return {(model_id, rollout) for model_id, rollout in session.execute(query)}


def forget(session: Session, model_id: str, rollout: int | None = None) -> None:
    """Delete what was counted of a rollout that is over, or of all that a model had: names of segments hold
    values of callers' rows."""
    of_model = RolloutEvidence.model_id == model_id
    of_rollout = [] if rollout is None else [RolloutEvidence.rollout == rollout]
    session.execute(delete(RolloutEvidence).where(of_model, *of_rollout))
