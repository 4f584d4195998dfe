"""Which engine answers, looked at again now and then: no event tells that a runtime gave up its kernels."""

from collections.abc import Sequence
from dataclasses import dataclass

from modelport_crds.mlmodel import MLModel, ModelVersion

from modelport_operator.core.desired import desired_deployment
from modelport_operator.core.observe import Observed
from modelport_operator.core.probe_results import RuntimeStatus
from modelport_operator.core.probes import current_pods
from modelport_operator.core.specs.deployment import template_digest
from modelport_operator.settings import Settings


@dataclass(frozen=True)
class Checkup:
    """Ask every ready pod of a version for its status."""

    version: str
    addresses: tuple[str, ...]


def checkups(model: MLModel, observed: Observed, settings: Settings) -> list[Checkup]:
    """Of the versions that have answered: the others are asked anyway."""
    found = (_checkup(model, version, observed, settings) for version in model.spec.versions)
    return [checkup for checkup in found if checkup is not None]


def slowest(statuses: Sequence[RuntimeStatus | None]) -> RuntimeStatus | None:
    """The one that stands for all: one that went back to its model goes before those that did not."""
    ready = [status for status in statuses if status is not None and status.state == "ready"]
    return min(ready, key=lambda status: status.engine == "numpy", default=None)


def _checkup(model: MLModel, version: ModelVersion, observed: Observed, settings: Settings) -> Checkup | None:
    template = template_digest(desired_deployment(model, version, settings))
    known = model.status.version(version.name)
    if known is None or not known.answered or known.template != template:
        return None
    pods = current_pods(observed.pods_of(version.name), template)
    # In one order: of equals the same one is told of each time.
    ready = sorted((pod for pod in pods if pod.ready), key=lambda pod: pod.name)
    addresses = tuple(pod.address for pod in ready if pod.address)
    return Checkup(version.name, addresses) if addresses else None
