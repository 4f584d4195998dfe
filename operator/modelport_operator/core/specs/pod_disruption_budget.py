"""With more than one replica, a node drain takes one at a time."""

from modelport_crds.mlmodel import MLModel, ModelVersion

from modelport_operator.core import naming
from modelport_operator.core.naming import Object


def build_pod_disruption_budget(model: MLModel, version: ModelVersion) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": naming.metadata(model, version.name),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": naming.selector(model, version.name)}},
    }
