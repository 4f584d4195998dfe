"""From what should be and what is: what to write."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from modelport_crds import names
from modelport_crds.mlmodel import MLModel, MLModelStatus

from modelport_operator.core.conditions import decide_conditions
from modelport_operator.core.desired import template_digest
from modelport_operator.core.naming import Object, version_of
from modelport_operator.core.observe import Observed
from modelport_operator.core.traffic import decide_traffic
from modelport_operator.core.versions import decide_version, needs_word
from modelport_operator.settings import Settings

# Asking again costs a local request; the pod's own events usually come first.
_ASK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Decision:
    """`requeue_after` is in seconds; None: the next event or resync will do."""

    status: MLModelStatus
    requeue_after: float | None


def versions_to_ask(model: MLModel, observed: Observed, settings: Settings) -> list[str]:
    """Versions whose process is up and has not been asked for its sample under this template."""
    return [
        version.name
        for version in model.spec.versions
        if observed.of(version.name).addresses
        and needs_word(model.status.version(version.name), template_digest(model, version, settings))
    ]


def decide(model: MLModel, observed: Observed, now: datetime, settings: Settings) -> Decision:
    versions = {
        version.name: decide_version(
            model, version, template_digest(model, version, settings), observed.of(version.name)
        )
        for version in model.spec.versions
    }
    traffic = decide_traffic(model.spec.traffic, versions, model.status.traffic)
    public_id = names.public_id(
        model.metadata.namespace, model.metadata.name, models_namespace=settings.models_namespace
    )
    status = MLModelStatus(
        observed_generation=model.metadata.generation,
        url=f"/predict/{public_id}",
        conditions=decide_conditions(model, versions, traffic, now),
        traffic=traffic,
        versions=tuple(versions.values()),
        replicas=sum(version.replicas for version in versions.values()),
    )
    return Decision(status, _requeue_after(model, observed, settings))


def leftovers(model: MLModel, children: Iterable[Object]) -> list[Object]:
    """Children of versions that the spec no longer has, once traffic has left them."""
    wanted = {version.name for version in model.spec.versions}
    serving = {target.version for target in model.status.traffic}
    return [child for child in children if version_of(child) not in wanted | serving]


def _requeue_after(model: MLModel, observed: Observed, settings: Settings) -> float | None:
    """Soon, if a process is up that gave no usable word yet."""
    asked = versions_to_ask(model, observed, settings)
    return _ASK_AGAIN_SECONDS if any(_silent(observed, version) for version in asked) else None


def _silent(observed: Observed, version: str) -> bool:
    seen = observed.of(version)
    return seen.word is None or (seen.word.state == "ready" and seen.reply is None)
