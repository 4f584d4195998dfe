"""An account without rights: the default one may have been given some."""

from modelport_crds.mlmodel import MLModel, ModelVersion

from modelport_operator.core import naming
from modelport_operator.core.naming import Object


def build_service_account(model: MLModel, version: ModelVersion) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": naming.metadata(model, version.name),
        "automountServiceAccountToken": False,
    }
