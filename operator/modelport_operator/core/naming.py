"""What the objects of one version are called, how they are found again, and whose an object is: its
owner's.
"""

from typing import Any

from modelport_crds import names
from modelport_crds.mlmodel import MLModel
from modelport_crds.names import KIND
from modelport_crds.reasons import Reason
from modelport_kube.kube import Object

from modelport_operator.core.problems import Problem
from modelport_operator.settings import Settings


def public_id_of(model: MLModel, settings: Settings) -> str:
    """Return what callers know the model by."""
    metadata = model.metadata
    return names.public_id(metadata.namespace, metadata.name, models_namespace=settings.models_namespace)


def is_owned_by(uid: str, obj: Object) -> bool:
    """Whether the object's controller is the one of this uid."""
    return _controller(obj).get("uid") == uid


def with_uid(wanted: Object, live: Object) -> Object:
    """To be applied to that very object and no other."""
    return {**wanted, "metadata": {**wanted["metadata"], "uid": live["metadata"].get("uid", "")}}


def has_same_owner(wanted: Object, live: Object) -> bool:
    """Whether both objects have the same controller."""
    return is_owned_by(_controller(wanted)["uid"], live)


def explain_taken(wanted: Object, live: Object) -> Problem:
    """Why `wanted` cannot be made: `live`, of another owner, has its name."""
    owner, here = _controller(wanted), _controller(live)
    what = f"{wanted['kind']} {wanted['metadata']['name']}"
    if (here.get("kind"), here.get("name")) == (KIND, owner["name"]):
        return Problem(Reason.PROGRESSING, f"The {what} of an earlier model of this name has yet to go.")
    return Problem(Reason.NAME_TAKEN, f"The {what} that is there already is not this model's.")


def _controller(obj: Object) -> dict[str, Any]:
    owners = obj["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), {})


MANAGED_BY = "modelport"
COMPONENT = "modelport-runtime"


def object_name(model: MLModel, version: str) -> str:
    """Unique: a version is v<number>, so no other model and version join to the same text."""
    return f"{model.metadata.name}-{version}"


def version_labels(model: MLModel, version: str) -> dict[str, str]:
    """What the version's objects and pods carry."""
    return {
        names.LABEL_NAME: COMPONENT,
        names.LABEL_MANAGED_BY: MANAGED_BY,
        names.LABEL_MODEL: model.metadata.name,
        names.LABEL_MODEL_VERSION: version,
    }


def version_selector(model: MLModel, version: str) -> dict[str, str]:
    """Only labels that never change: a Deployment's selector cannot."""
    return {names.LABEL_MODEL: model.metadata.name, names.LABEL_MODEL_VERSION: version}


def batch_object_name(model: MLModel, version: str) -> str:
    """Unique too: the name of what serves ends with the version."""
    return f"{object_name(model, version)}-batch"


def batch_labels(model: MLModel, version: str) -> dict[str, str]:
    """What a version's batch objects and pods carry."""
    return {
        names.LABEL_NAME: COMPONENT,
        names.LABEL_MANAGED_BY: MANAGED_BY,
        **batch_selector(model, version),
    }


def batch_selector(model: MLModel, version: str) -> dict[str, str]:
    """Return labels that never change; no pod that serves has both."""
    return {names.LABEL_MODEL: model.metadata.name, names.LABEL_BATCH_VERSION: version}


def children_selector(model_name: str) -> dict[str, str]:
    """Finds everything that the operator made for a model."""
    return {names.LABEL_MODEL: model_name, names.LABEL_MANAGED_BY: MANAGED_BY}


def pods_selector(model_name: str) -> str:
    """Finds the model's pods that serve, as `kubectl get pods -l` has it."""
    return f"{names.LABEL_MODEL}={model_name},!{names.LABEL_BATCH_VERSION}"


def object_metadata(model: MLModel, version: str) -> dict[str, Any]:
    """Return name, labels and owner of an object that serves: all have one name, and go with the model."""
    return _metadata(model, object_name(model, version), version_labels(model, version))


def batch_metadata(model: MLModel, version: str) -> dict[str, Any]:
    """Return name, labels and owner of an object for batch jobs: it goes with the model."""
    return _metadata(model, batch_object_name(model, version), batch_labels(model, version))


def _metadata(model: MLModel, name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": model.metadata.namespace,
        "labels": labels,
        "ownerReferences": [_owner_reference(model)],
    }


def _owner_reference(model: MLModel) -> dict[str, Any]:
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "name": model.metadata.name,
        "uid": model.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
