"""Group, labels, annotations and other names of the MLModel resource: written here and nowhere else."""

GROUP = "serving.modelport.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "MLModel"
PLURAL = "mlmodels"

# What a version may be called, as a pattern without anchors.
VERSION_NAME = "v[1-9][0-9]{0,5}"
# And an environment, which becomes part of an image's name.
ENVIRONMENT_NAME = "[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?"

# The models namespace of a platform: a resource here is served as /predict/<name>, one elsewhere
# as /predict/<namespace>.<name>.
DEFAULT_NAMESPACE = "modelport-models"

LABEL_MODEL = f"{GROUP}/model"
LABEL_MODEL_VERSION = f"{GROUP}/version"
# In place of the version's own label, on the pods that do batch jobs of it: nothing that looks for the pods
# that serve (Services, budgets, autoscalers, gateways of any release) may find these.
LABEL_BATCH_VERSION = f"{GROUP}/batch-version"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
# Of what the control API wrote, and so may delete: an MLModel applied with kubectl is left alone.
MANAGED_BY_CONTROL_API = "modelport-control-api"
LABEL_NAME = "app.kubernetes.io/name"
LABEL_COMPONENT = "app.kubernetes.io/component"

# On a pod template and so on its pods: the template's digest.
ANNOTATION_TEMPLATE = f"{GROUP}/template"

# On an MLModel: the Secret of its namespace that holds the credentials for its artifacts.
ANNOTATION_CREDENTIALS = f"{GROUP}/artifact-credentials"
# On that Secret, "true": its owner lets MLModels of the namespace use it.
LABEL_CREDENTIALS = ANNOTATION_CREDENTIALS

FIELD_MANAGER = "modelport-operator"
FIELD_MANAGER_CONTROL_API = "modelport-control-api"

# `artifact:<sha256>` names a file in the platform's own store; the operator's settings say where that is.
# A spec must not hold an address: it is immutable, and the store may move.
ARTIFACT_SCHEME = "artifact"


def public_id(namespace: str, name: str, *, models_namespace: str = DEFAULT_NAMESPACE) -> str:
    """Return the id in ``/predict/<id>``. A name is a DNS label, so the dot is unambiguous."""
    return name if namespace == models_namespace else f"{namespace}.{name}"


def platform_artifact_uri(sha256: str) -> str:
    """Name a file of the platform's own store by its digest (64 lowercase hex digits)."""
    return f"{ARTIFACT_SCHEME}:{sha256}"
