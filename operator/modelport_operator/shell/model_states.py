"""How many models are in which state, for the gauge: remembered here, since each pass sees only its own."""

from collections import Counter
from typing import Literal

from modelport_crds.mlmodel import MLModelStatus

from modelport_operator.core.conditions import DEGRADED, PROGRESSING, READY
from modelport_operator.shell.metrics import MODELS

State = Literal["ready", "degraded", "progressing", "failed"]
_STATES: tuple[State, ...] = ("ready", "degraded", "progressing", "failed")


class ModelStates:
    """Keyed by whatever distinguishes models."""

    def __init__(self) -> None:
        self._states: dict[object, State] = {}

    def record(self, key: object, status: MLModelStatus) -> None:
        self._states[key] = state_of(status)
        self._publish()

    def forget(self, key: object) -> None:
        if self._states.pop(key, None) is not None:
            self._publish()

    def _publish(self) -> None:
        counts = Counter(self._states.values())
        for state in _STATES:
            MODELS.labels(state).set(counts[state])


def state_of(status: MLModelStatus) -> State:
    """Return the model's state for metrics."""
    if _holds(status, DEGRADED):
        return "degraded" if status.traffic else "failed"
    if _holds(status, PROGRESSING):
        return "progressing"
    return "ready" if _holds(status, READY) else "progressing"


def _holds(status: MLModelStatus, type_: str) -> bool:
    condition = status.condition(type_)
    return condition is not None and condition.status == "True"


# One process, one gauge.
MODEL_STATES = ModelStates()
