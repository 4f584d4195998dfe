"""Which runtimes to probe in this pass, and for what; and now and then again which engine predicts: no event
reports it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelport_crds.mlmodel import MLModel, ModelVersion, VersionStatus

from modelport_operator.core.compatibility import baseline_of, is_compared
from modelport_operator.core.desired import desired_deployment
from modelport_operator.core.observed.observe import Observed
from modelport_operator.core.observed.pods import PodFacts
from modelport_operator.core.observed.probe_results import RuntimeStatus
from modelport_operator.core.specs.deployment import template_digest
from modelport_operator.settings import Settings


@dataclass(frozen=True)
class Baseline:
    """Another version whose sample is to be answered too: `sample`, or what the runtime at `address` made.

    `is_ready`: that runtime's pod is. If it does not respond, or is just loading again, it is probed again:
    soon it says its sample, or its pod is not ready any more. One that is not ready must not hold up the
    version that may be its cure.
    """

    version: str
    sample: Mapping[str, Any] | None
    address: str | None
    is_ready: bool = False


@dataclass(frozen=True)
class ProbeRequest:
    """Probe the runtime at `address` for its status and, with `sample`, then for its sample's prediction, and
    last for that of the baseline's sample.
    """

    version: ModelVersion
    address: str
    sample: bool
    baseline: Baseline | None = None


def probe_requests(model: MLModel, observed: Observed, settings: Settings) -> list[ProbeRequest]:
    """Each pod template is probed until it has answered; after that only why it is not ready."""
    found = (_probe_request(model, version, observed, settings) for version in model.spec.versions)
    return [request for request in found if request is not None]


def sample_body(version: ModelVersion, status: RuntimeStatus) -> bytes | None:
    """The sample of the upload, or else the one that the runtime made from the signature."""
    return encoded(version.own_sample if version.own_sample is not None else status.sample)


def encoded(sample: Mapping[str, Any] | None) -> bytes | None:
    """Return the predict body as it is sent."""
    return None if sample is None else json.dumps(sample, separators=(",", ":")).encode()


def current_pods(pods: tuple[PodFacts, ...], template: str) -> tuple[PodFacts, ...]:
    """Pods of this template; one without the annotation counts, so that a cluster without them works."""
    return tuple(pod for pod in pods if pod.template in ("", template))


def _probe_request(
    model: MLModel, version: ModelVersion, observed: Observed, settings: Settings
) -> ProbeRequest | None:
    template = template_digest(desired_deployment(model, version, settings))
    known = model.status.version(version.name)
    if known is not None and known.failed and known.template == template:
        return None
    pod = _pod_to_probe(current_pods(observed.pods_of(version.name), template))
    if pod is None or pod.address is None:
        return None
    needs_sample = not _has_answered(known, template)
    baseline = baseline_of(model, version.name)
    if baseline is not None and not needs_sample and is_compared(known, baseline):
        baseline = None
    if not needs_sample and baseline is None and pod.ready:
        return None
    asked = _to_ask(model, observed, baseline) if baseline is not None else None
    return ProbeRequest(version, pod.address, sample=needs_sample, baseline=asked)


def _to_ask(model: MLModel, observed: Observed, version: str) -> Baseline:
    spec, pod = model.spec.version(version), _pod_to_probe(observed.pods_of(version))
    sample = spec.own_sample if spec else None
    if pod is None:
        return Baseline(version, sample, None)
    return Baseline(version, sample, pod.address, is_ready=pod.ready)


def _has_answered(known: VersionStatus | None, template: str) -> bool:
    return known is not None and known.answered and known.template == template


def _pod_to_probe(pods: tuple[PodFacts, ...]) -> PodFacts | None:
    reachable = [pod for pod in pods if pod.started and pod.address]
    return max(reachable, key=lambda pod: pod.ready, default=None)


@dataclass(frozen=True)
class StatusProbe:
    """Probe every ready pod of a version for its status."""

    version: str
    addresses: tuple[str, ...]


def status_probes(model: MLModel, observed: Observed, settings: Settings) -> list[StatusProbe]:
    """Of the versions that have answered: the others are probed anyway."""
    found = (_status_probe(model, version, observed, settings) for version in model.spec.versions)
    return [probe for probe in found if probe is not None]


def slowest(statuses: Sequence[RuntimeStatus | None]) -> RuntimeStatus | None:
    """The one that stands for all: one that went back to its model goes before those that did not."""
    ready = [status for status in statuses if status is not None and status.state == "ready"]
    return min(ready, key=lambda status: status.engine == "numpy", default=None)


def _status_probe(
    model: MLModel, version: ModelVersion, observed: Observed, settings: Settings
) -> StatusProbe | None:
    template = template_digest(desired_deployment(model, version, settings))
    known = model.status.version(version.name)
    if known is None or not known.answered or known.template != template:
        return None
    pods = current_pods(observed.pods_of(version.name), template)
    # In one order: of equals the same one is reported each time.
    ready = sorted((pod for pod in pods if pod.ready), key=lambda pod: pod.name)
    addresses = tuple(pod.address for pod in ready if pod.address)
    return StatusProbe(version.name, addresses) if addresses else None
