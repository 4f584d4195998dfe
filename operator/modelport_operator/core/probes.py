"""Which runtimes to ask in this pass, and what."""

import json
from dataclasses import dataclass

from modelport_crds.mlmodel import MLModel, ModelVersion, VersionStatus

from modelport_operator.core.desired import desired_deployment
from modelport_operator.core.observe import Observed
from modelport_operator.core.pods import PodFacts
from modelport_operator.core.probe_results import RuntimeStatus
from modelport_operator.core.specs.deployment import template_digest
from modelport_operator.settings import Settings


@dataclass(frozen=True)
class ProbeRequest:
    """Ask the runtime at `address` for its status and, with `sample`, then for its sample's prediction."""

    version: ModelVersion
    address: str
    sample: bool


def questions(model: MLModel, observed: Observed, settings: Settings) -> list[ProbeRequest]:
    """Each pod template is asked until it has answered; after that only why it is not ready."""
    found = (_question(model, version, observed, settings) for version in model.spec.versions)
    return [question for question in found if question is not None]


def sample_body(version: ModelVersion, status: RuntimeStatus) -> bytes | None:
    """The sample of the upload, or else the one that the runtime made from the signature."""
    sample = version.sample if version.sample is not None else status.sample
    return None if sample is None else json.dumps(sample, separators=(",", ":")).encode()


def current_pods(pods: tuple[PodFacts, ...], template: str) -> tuple[PodFacts, ...]:
    """Pods of this template; one that does not say counts, so that a cluster without annotations works."""
    return tuple(pod for pod in pods if pod.template in ("", template))


def _question(
    model: MLModel, version: ModelVersion, observed: Observed, settings: Settings
) -> ProbeRequest | None:
    template = template_digest(desired_deployment(model, version, settings))
    known = model.status.version(version.name)
    if known is not None and known.failed and known.template == template:
        return None
    pod = _pod_to_ask(current_pods(observed.pods_of(version.name), template))
    if pod is None or pod.address is None:
        return None
    unanswered = not _has_answered(known, template)
    if not unanswered and pod.ready:
        return None
    return ProbeRequest(version, pod.address, sample=unanswered)


def _has_answered(known: VersionStatus | None, template: str) -> bool:
    return known is not None and known.answered and known.template == template


def _pod_to_ask(pods: tuple[PodFacts, ...]) -> PodFacts | None:
    askable = [pod for pod in pods if pod.started and pod.address]
    return max(askable, key=lambda pod: pod.ready, default=None)
