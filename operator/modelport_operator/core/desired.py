"""All objects that a model should have now, and the digest that tells one pod template from another."""

import hashlib
import json

from modelport_crds.mlmodel import MLModel, ModelVersion

from modelport_operator.core.naming import Object
from modelport_operator.core.specs.deployment import build_deployment
from modelport_operator.core.specs.network_policy import build_network_policy
from modelport_operator.core.specs.pod_disruption_budget import build_pod_disruption_budget
from modelport_operator.core.specs.service import build_service
from modelport_operator.core.specs.service_account import build_service_account
from modelport_operator.settings import Settings

KINDS = ("ServiceAccount", "NetworkPolicy", "Service", "Deployment", "PodDisruptionBudget")


def desired_objects(model: MLModel, settings: Settings) -> list[Object]:
    """In the order to apply them: a pod must find its account and its walls."""
    return [obj for version in model.spec.versions for obj in _version_objects(model, version, settings)]


def template_digest(model: MLModel, version: ModelVersion, settings: Settings) -> str:
    """Changes exactly when the version's pods must be replaced."""
    template = build_deployment(model, version, settings, replicas=0)["spec"]["template"]
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:16]


def _version_objects(model: MLModel, version: ModelVersion, settings: Settings) -> list[Object]:
    replicas = _replicas(model, version, settings)
    objects = [
        build_service_account(model, version),
        build_network_policy(model, version),
        build_service(model, version),
        build_deployment(model, version, settings, replicas=replicas),
    ]
    return [*objects, build_pod_disruption_budget(model, version)] if replicas > 1 else objects


def _replicas(model: MLModel, version: ModelVersion, settings: Settings) -> int:
    """A version that failed for good runs no process: its reason is in status, its memory is somebody else's."""
    known = model.status.version(version.name)
    if known and known.failed and known.template == template_digest(model, version, settings):
        return 0
    return model.spec.scaling.min_replicas
