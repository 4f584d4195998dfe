"""Names, labels and owner of what the operator creates for one version of a model."""

from typing import Any

from modelport_crds import names
from modelport_crds.mlmodel import MLModel

Object = dict[str, Any]


def child_name(model: MLModel, version: str) -> str:
    return f"{model.metadata.name}-{version}"


def selector(model: MLModel, version: str) -> dict[str, str]:
    """What finds this version's pods; immutable in a Deployment, so no label here may ever change."""
    return {names.LABEL_MODEL: model.metadata.name, names.LABEL_MODEL_VERSION: version}


def labels(model: MLModel, version: str) -> dict[str, str]:
    return {
        names.LABEL_NAME: "modelport-runtime",
        names.LABEL_MANAGED_BY: "modelport",
        **selector(model, version),
    }


def metadata(model: MLModel, version: str) -> Object:
    """Owned by the model, so that the cluster's garbage collection deletes it with the model."""
    owner = {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "name": model.metadata.name,
        "uid": model.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "name": child_name(model, version),
        "namespace": model.metadata.namespace,
        "labels": labels(model, version),
        "ownerReferences": [owner],
    }


def version_of(obj: Object) -> str:
    """The version that a child belongs to; empty for what carries no version label."""
    found: str = obj.get("metadata", {}).get("labels", {}).get(names.LABEL_MODEL_VERSION, "")
    return found
