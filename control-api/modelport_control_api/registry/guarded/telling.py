"""What happens to rollouts, told to the model's owner."""

from modelport_crds import mlmodel
from modelport_crds.mlmodel import RolloutStatus
from sqlalchemy.orm import Session

from modelport_control_api.alerts import events
from modelport_control_api.alerts.events import Fact
from modelport_control_api.alerts.types import EventType
from modelport_control_api.registry.repository import subject_of
from modelport_control_api.registry.tables import ModelRow, RolloutRow

_ENDS: dict[mlmodel.RolloutState, EventType] = {
    "Promoted": "rollout.promoted",
    "RolledBack": "rollout.rolled_back",
    "Inconclusive": "rollout.inconclusive",
    "Cancelled": "rollout.cancelled",
}


def started(session: Session, row: ModelRow, rollout: RolloutRow) -> None:
    """Tell that somebody asked for it."""
    summary = f"A rollout of {rollout.version} began; it is compared with {rollout.baseline}."
    more = {"rollout": rollout.number, "baseline": rollout.baseline}
    fact = Fact("rollout.started", str(rollout.number), summary, version=rollout.version, more=more)
    events.record(session, subject_of(row), fact)


def ended(session: Session, row: ModelRow, status: RolloutStatus) -> None:
    """Tell how it ended, in the words of its verdict."""
    more = {"rollout": status.id, "baseline": status.baseline, "traffic": dict(row.traffic)}
    fact = Fact(_ENDS[status.state], str(status.id), status.verdict, version=status.version, more=more)
    events.record(session, subject_of(row), fact)
