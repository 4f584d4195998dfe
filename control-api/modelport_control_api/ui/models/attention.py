"""Which models need a look first: failing, drifting, then the busiest. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from modelport_control_api.analytics.schemas import ModelUsage
from modelport_control_api.drift.schemas import DataDriftState
from modelport_control_api.models.model_view import ModelView
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.registry.status_view import StatusName, served_traffic

FAILING_SHARE = 0.05
"""Of the requests that end with a 5xx: from here on a model that serves counts as failing."""
_DRIFT: DataDriftState = "drift"
_RANKS: Mapping[StatusName, int] = {"failed": 0, "degraded": 1}
_ERRORS, _DRIFTING, _WELL = 2, 3, 4


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A model as lists show it. `used`: in the period that is shown; None: not at all. `drifting`: names of
    versions.
    """

    model: ModelAnswer
    used: ModelUsage | None
    drifting: tuple[str, ...]

    @classmethod
    def of(cls, model: ModelAnswer, used: ModelUsage | None) -> "ModelLine":
        return cls(model, used, drifting_versions(model))

    @property
    def requests(self) -> int:
        return self.used.requests if self.used else 0

    @property
    def is_failing(self) -> bool:
        return fails_often(self.used)

    @property
    def urgency(self) -> tuple[int, int]:
        return urgency(self.model.status, self.used, drifts=bool(self.drifting))


def most_urgent(seen: Iterable[ModelView], usage: Mapping[str, ModelUsage]) -> list[ModelView]:
    """Return all of them; those that are alike stay in their order. `usage`: by the model's id."""
    return sorted(seen, key=lambda each: _place(each, usage.get(each.record.id)))


def urgency(status: StatusName, used: ModelUsage | None, *, drifts: bool) -> tuple[int, int]:
    """Return what models are sorted by, the most urgent first."""
    requests = used.requests if used else 0
    if status in _RANKS:
        return _RANKS[status], -requests
    if fails_often(used):
        return _ERRORS, -requests
    return (_DRIFTING if drifts else _WELL), -requests


def fails_often(used: ModelUsage | None) -> bool:
    """Whether so many of its requests ended with a 5xx that it needs a look."""
    return used is not None and (used.error_rate or 0) >= FAILING_SHARE


def drifting_versions(model: ModelAnswer) -> tuple[str, ...]:
    """Return the names of those that get requests whose inputs differ from their reference."""
    return tuple(each.name for each in model.versions if each.traffic and each.data_drift.state == _DRIFT)


def _place(seen: ModelView, used: ModelUsage | None) -> tuple[int, int]:
    return urgency(seen.view.status, used, drifts=_drifts(seen))


def _drifts(seen: ModelView) -> bool:
    served = served_traffic(seen.live)
    found = (each.data_drift for each in seen.record.versions if each.name in served)
    return any(each is not None and each.state == _DRIFT for each in found)
