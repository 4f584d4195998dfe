"""The beginning and the end of drift, told to the model's owner."""

from sqlalchemy.orm import Session

from modelport_control_api.alerts import events
from modelport_control_api.alerts.events import Fact
from modelport_control_api.alerts.types import EventType
from modelport_control_api.drift.messages import summarize
from modelport_control_api.drift.records import to_drift_record
from modelport_control_api.drift.tables import DriftStateRow
from modelport_control_api.registry.repository import subject_of
from modelport_control_api.registry.tables import ModelRow

_CHANGES: dict[tuple[str, str], EventType] = {
    ("ok", "drift"): "drift.started",
    ("collecting", "drift"): "drift.started",
    ("drift", "ok"): "drift.ended",
}


def tell_if_changed(session: Session, model: ModelRow, state: DriftStateRow, was: str) -> None:
    """`was`: the state before. The end of collecting without drift is nothing to tell."""
    type_ = _CHANGES.get((was, state.state))
    if type_ is None:
        return
    found = summarize(to_drift_record(state))
    more = {"rows": found.rows, "features": [each.model_dump(mode="json") for each in found.features]}
    version, key = f"v{state.number}", f"v{state.number} {state.since.isoformat()}"
    events.record(session, subject_of(model), Fact(type_, key, found.message, version=version, more=more))
