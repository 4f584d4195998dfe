"""Every object that a model asks for. The same in gives the same out, in the same order."""

from collections.abc import Collection

from modelport_crds.mlmodel import MLModel, ModelVersion
from modelport_kube.kube import Object

from modelport_operator.core.specs.batch_deployment import build_batch_deployment
from modelport_operator.core.specs.deployment import build_deployment
from modelport_operator.core.specs.network_policy import build_batch_network_policy, build_network_policy
from modelport_operator.core.specs.service import (
    build_pod_disruption_budget,
    build_service,
    build_service_account,
)
from modelport_operator.settings import Settings


def replicas(model: MLModel) -> int:
    """`kubectl scale` and autoscalers write minReplicas; maxReplicas is the owner's limit."""
    scaling = model.spec.scaling
    return min(scaling.min_replicas, scaling.max_replicas)


CHILD_KINDS = ("ServiceAccount", "NetworkPolicy", "Service", "Deployment", "PodDisruptionBudget")


def desired_objects(model: MLModel, settings: Settings, *, stopped: Collection[str] = ()) -> list[Object]:
    """The objects of each version in the spec. A version in `stopped` keeps them but runs no pod."""
    return [
        obj
        for version in model.spec.versions
        for obj in _version_objects(model, version, settings, stopped=version.name in stopped)
    ]


def desired_deployment(model: MLModel, version: ModelVersion, settings: Settings) -> Object:
    """Return the version's Deployment as it is when it runs: not with 0 replicas for one that is stopped."""
    return build_deployment(model, version, settings, replicas=replicas(model))


def _version_objects(
    model: MLModel, version: ModelVersion, settings: Settings, *, stopped: bool
) -> list[Object]:
    running = 0 if stopped else replicas(model)
    return [
        build_service_account(model, version),
        # Before the pod: it must never run without.
        build_network_policy(model, version, settings),
        build_service(model, version),
        *([build_pod_disruption_budget(model, version)] if running > 1 else []),
        # Last: where somebody else has one of the names there is no pod.
        build_deployment(model, version, settings, replicas=running),
        *(_batch_objects(model, version, settings) if version.batch_replicas and running else []),
    ]


def _batch_objects(model: MLModel, version: ModelVersion, settings: Settings) -> list[Object]:
    return [
        build_batch_network_policy(model, version, settings),
        build_batch_deployment(model, version, settings),
    ]
