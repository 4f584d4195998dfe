"""The Deployment of the pods that do batch jobs of one version: its own pod template, behind all others."""

from modelport_crds.mlmodel import MLModel, ModelVersion
from modelport_kube.kube import Object

from modelport_operator.core.naming import batch_labels, batch_metadata, batch_selector
from modelport_operator.core.specs.container_env import without_acceleration
from modelport_operator.core.specs.deployment import build_template, with_digest
from modelport_operator.settings import Settings

# A container's share of a busy node's CPU follows what it requests; what is idle it has all the same.
_CPU_REQUEST = "10m"
# With so little of a busy node a load takes its time. One that hangs is ended by the runtime itself.
_TIMES_TO_START = 5


def build_batch_deployment(model: MLModel, version: ModelVersion, settings: Settings) -> Object:
    """Return the Deployment: `batch_replicas` pods, unaccelerated, with little of a busy node's CPU.

    Raises ValueError for a memory limit that is no quantity.
    """
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": batch_metadata(model, version.name),
        "spec": {
            "replicas": version.batch_replicas,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": batch_selector(model, version.name)},
            # Nobody waits for a response: a change need never hold the model in memory twice.
            "strategy": {"type": "Recreate"},
            "template": with_digest(_build_template(model, version, settings)),
        },
    }


def _build_template(model: MLModel, version: ModelVersion, settings: Settings) -> Object:
    template = build_template(model, version, settings, replicas=1)
    spec = {key: value for key, value in template["spec"].items() if key != "priorityClassName"}
    if settings.batch_priority_class_name:
        spec["priorityClassName"] = settings.batch_priority_class_name
    return {
        "metadata": {"labels": batch_labels(model, version.name)},
        "spec": {**spec, "containers": [_behind_all_others(each) for each in spec["containers"]]},
    }


def _behind_all_others(container: Object) -> Object:
    resources = container["resources"]
    requests = {**resources["requests"], "cpu": _CPU_REQUEST}
    # Of thousands of rows at once the libraries are faster than the kernels, which are made for few.
    env = without_acceleration(container["env"])
    startup = container["startupProbe"]
    patient = {**startup, "failureThreshold": _TIMES_TO_START * startup["failureThreshold"]}
    return {
        **container,
        "env": env,
        "resources": {**resources, "requests": requests},
        "startupProbe": patient,
    }
