"""How many pods each version of a model runs."""

from modelport_crds.mlmodel import MLModel


def replicas(model: MLModel) -> int:
    """`kubectl scale` and autoscalers write minReplicas; maxReplicas is the owner's limit."""
    scaling = model.spec.scaling
    return min(scaling.min_replicas, scaling.max_replicas)
