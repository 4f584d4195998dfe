"""The small objects of one version: headless Service, ServiceAccount without rights, PodDisruptionBudget."""

from modelport_crds.mlmodel import MLModel, ModelVersion
from modelport_kube.kube import Object

from modelport_operator.core.naming import object_metadata, version_selector
from modelport_operator.core.specs.deployment import PORT


def build_service_account(model: MLModel, version: ModelVersion) -> Object:
    """Return the account that the version's pods run as; no token of it is mounted."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": object_metadata(model, version.name),
        "automountServiceAccountToken": False,
    }


def build_pod_disruption_budget(model: MLModel, version: ModelVersion) -> Object:
    """Return the budget: evictions leave at most one pod missing. For versions with several replicas."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": object_metadata(model, version.name),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": version_selector(model, version.name)},
        },
    }


def build_service(model: MLModel, version: ModelVersion) -> Object:
    """Return the Service, without an address of its own: its EndpointSlices name the pods that serve."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": object_metadata(model, version.name),
        "spec": {
            "clusterIP": "None",
            "selector": version_selector(model, version.name),
            "ports": [{"name": "http", "port": PORT, "protocol": "TCP", "targetPort": PORT}],
        },
    }
