"""The Deployment of one version: fetch and verify the file, then one process that holds nothing worth stealing."""

from modelport_crds.mlmodel import MLModel, ModelVersion

from modelport_operator.core import naming
from modelport_operator.core.naming import Object
from modelport_operator.core.specs.environment import (
    ARTIFACT_FOLDER,
    RUN_FOLDER,
    fetch_environment,
    runtime_environment,
)
from modelport_operator.settings import Settings

RUNTIME_CONTAINER = "model"
FETCH_CONTAINER = "fetch"
PORT = 8080

# Kubernetes sends SIGTERM and removes the endpoint at the same time; what is already on its way
# needs a moment to arrive, and what runs then may take the model's own time limit.
_DRAIN_SECONDS = 3
_STARTUP_PERIOD_SECONDS = 1
# The runtime ends a hung load itself (SIGALRM); the probe is for code that switched the alarm off.
_STARTUP_SLACK_SECONDS = 10


def build_deployment(model: MLModel, version: ModelVersion, settings: Settings, *, replicas: int) -> Object:
    """`replicas` is decided by the caller: a version that failed for good runs none."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": naming.metadata(model, version.name),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": naming.selector(model, version.name)},
            # Surge only: a pod goes when its successor is ready, never before.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": naming.labels(model, version.name)},
                "spec": _pod(model, version, settings),
            },
        },
    }


def _pod(model: MLModel, version: ModelVersion, settings: Settings) -> Object:
    pod: Object = {
        "serviceAccountName": naming.child_name(model, version.name),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": model.spec.timeout_seconds + 2 * _DRAIN_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [_fetch_container(version, settings)],
        "containers": [_runtime_container(model, version, settings)],
        "volumes": [
            {"name": "artifact", "emptyDir": {}},
            {"name": "run", "emptyDir": {"sizeLimit": "1Mi"}},
        ],
    }
    if model.spec.scaling.min_replicas > 1:
        pod["topologySpreadConstraints"] = [_spread(model, version)]
    return pod


def _fetch_container(version: ModelVersion, settings: Settings) -> Object:
    return {
        "name": FETCH_CONTAINER,
        "image": settings.runtime_image,
        "command": ["python", "-I", "-m", "modelport_runtime.fetch"],
        "env": fetch_environment(version, settings),
        "securityContext": _confined(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "artifact", "mountPath": ARTIFACT_FOLDER}],
    }


def _runtime_container(model: MLModel, version: ModelVersion, settings: Settings) -> Object:
    threshold = (settings.load_timeout_seconds + _STARTUP_SLACK_SECONDS) // _STARTUP_PERIOD_SECONDS
    return {
        "name": RUNTIME_CONTAINER,
        "image": settings.runtime_image,
        "command": ["python", "-I", "-m", "modelport_runtime"],
        "env": runtime_environment(model, version, settings),
        "ports": [{"name": "http", "containerPort": PORT}],
        "resources": _resources(version, settings),
        "securityContext": _confined(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "startupProbe": _probe("/startupz", period=_STARTUP_PERIOD_SECONDS, failures=threshold),
        "readinessProbe": _probe("/readyz", period=5, failures=2),
        "livenessProbe": _probe("/healthz", period=10, failures=6),
        "lifecycle": {"preStop": {"sleep": {"seconds": _DRAIN_SECONDS}}},
        "volumeMounts": [
            {"name": "artifact", "mountPath": ARTIFACT_FOLDER, "readOnly": True},
            {"name": "run", "mountPath": RUN_FOLDER},
        ],
    }


def _resources(version: ModelVersion, settings: Settings) -> Object:
    limits = {"memory": str(settings.runtime_memory_bytes), **version.resources.limits}
    requests = {"cpu": "100m", "memory": "256Mi", **version.resources.requests}
    return {"requests": requests, "limits": limits}


def _confined() -> Object:
    """What Pod Security *restricted* asks of a container, and a read-only root."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _probe(path: str, *, period: int, failures: int) -> Object:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 5,
    }


def _spread(model: MLModel, version: ModelVersion) -> Object:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": naming.selector(model, version.name)},
    }
