"""The ServiceAccount of one version: an identity that may do nothing and whose token no pod gets."""

from modelport_crds.mlmodel import MLModel, ModelVersion
from modelport_kube.kube import Object

from modelport_operator.core.naming import object_metadata


def build_service_account(model: MLModel, version: ModelVersion) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": object_metadata(model, version.name),
        "automountServiceAccountToken": False,
    }
