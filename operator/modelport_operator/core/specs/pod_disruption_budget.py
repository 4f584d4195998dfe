"""The PodDisruptionBudget of one version, for versions that have a pod to spare."""

from modelport_crds.mlmodel import MLModel, ModelVersion
from modelport_kube.kube import Object

from modelport_operator.core.naming import object_metadata, version_selector


def build_pod_disruption_budget(model: MLModel, version: ModelVersion) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": object_metadata(model, version.name),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": version_selector(model, version.name)},
        },
    }
