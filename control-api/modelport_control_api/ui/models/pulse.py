"""How a model does now, in its head on every page of it: failures and drift."""

from dataclasses import dataclass

from modelport_control_api.analytics import service as analytics
from modelport_control_api.analytics.query import Query
from modelport_control_api.drift.schemas import DataDriftState
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.ui.models.visit import Visit


@dataclass(frozen=True, slots=True)
class VersionDrift:
    """`features`: the names of those that drift, the worst first."""

    version: str
    state: DataDriftState
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pulse:
    """`failed`: requests of the last hour that ended with a 5xx. `drifts`: of versions that get requests
    and have something to compare with.
    """

    requests: int
    failed: int
    drifts: tuple[VersionDrift, ...]


async def pulse_of(visit: Visit, model: ModelAnswer) -> Pulse:
    """Read what was counted in the last hour."""
    last_hour = Query(bucket="minute")
    found = await analytics.totals(visit.context, visit.services, visit.principal, model.id, last_hour)
    return Pulse(found.requests, found.errors, drifts_of(model))


def drifts_of(model: ModelAnswer) -> tuple[VersionDrift, ...]:
    """Return the drift of each version that has traffic and a reference."""
    watched = [each for each in model.versions if each.traffic and each.data_drift.state != "no_reference"]
    return tuple(
        VersionDrift(
            each.name, each.data_drift.state, tuple(feature.name for feature in each.data_drift.features)
        )
        for each in watched
    )
