"""The Deployment of one version: the pod template that Kubernetes, and standalone's LocalCluster, run."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from modelport_crds.mlmodel import MLModel, ModelVersion
from modelport_crds.names import ANNOTATION_TEMPLATE
from modelport_kube.kube import Object

from modelport_operator.core.naming import object_metadata, object_name, version_labels, version_selector
from modelport_operator.core.quantities import canonical
from modelport_operator.core.specs.container_env import (
    ARTIFACT_DIR,
    RUN_DIR,
    artifact_source,
    build_runtime_env,
    memory_bytes,
)
from modelport_operator.core.specs.fetch_container import build_fetch_container, source_volumes
from modelport_operator.core.specs.pod_settings import (
    build_placement,
    build_spread,
    container_security,
    image_fields,
    pod_security,
)
from modelport_operator.settings import Settings

PORT = 8080
DRAIN_SECONDS = 5
# The same for all: if it followed timeoutSeconds, changing that would restart every pod.
_GRACE_SECONDS = 45
# Importing the framework comes before the load limit starts to count, and a cold node is slow at it.
_STARTUP_SLACK_SECONDS = 60
_USUAL_MEMORY_BYTES = 256 * 1024**2


def build_deployment(model: MLModel, version: ModelVersion, settings: Settings, *, replicas: int) -> Object:
    """Return the Deployment of the pods that serve a version. `replicas` may be 0.

    Raises ValueError for a memory limit that is no quantity.
    """
    template = build_template(model, version, settings, replicas)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": object_metadata(model, version.name),
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": version_selector(model, version.name)},
            # The old pod goes only when the new one is ready: a change never takes capacity away.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": with_digest(template),
        },
    }


def template_digest(deployment: Object) -> str:
    """The digest of the pod template, which its pods carry too: it distinguishes one try from the next."""
    digest: str = deployment["spec"]["template"]["metadata"]["annotations"][ANNOTATION_TEMPLATE]
    return digest


def with_digest(template: Object) -> Object:
    """Return the template with the digest of itself as an annotation."""
    metadata = {**template["metadata"], "annotations": {ANNOTATION_TEMPLATE: _digest(template)}}
    return {**template, "metadata": metadata}


def _digest(template: Object) -> str:
    # How pods spread is about their number, not about what runs in them.
    spec = {key: value for key, value in template["spec"].items() if key != "topologySpreadConstraints"}
    text = json.dumps([template["metadata"], spec], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build_template(model: MLModel, version: ModelVersion, settings: Settings, replicas: int) -> Object:
    """Return the pod template, without its digest. `replicas`: several are spread over nodes.

    Raises ValueError for a memory limit that is no quantity.
    """
    source = artifact_source(model, version.artifact, settings)
    return {
        "metadata": {"labels": version_labels(model, version.name)},
        "spec": {
            "serviceAccountName": object_name(model, version.name),
            "automountServiceAccountToken": False,
            # A Service's variables would reveal to the model the names of all other models.
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": _GRACE_SECONDS,
            "securityContext": pod_security(settings),
            "initContainers": [build_fetch_container(model, version, source, settings)],
            "containers": [_build_model_container(model, version, settings)],
            "volumes": [
                {"name": "artifact", "emptyDir": {}},
                {"name": "run", "emptyDir": {"sizeLimit": "16Mi"}},
                *source_volumes(source),
            ],
            **build_placement(settings),
            **build_spread(model, version, replicas),
        },
    }


def _build_model_container(model: MLModel, version: ModelVersion, settings: Settings) -> Object:
    return {
        "name": "model",
        **image_fields(model, version, settings),
        "command": ["python", "-I", "-m", "modelport_runtime"],
        "env": build_runtime_env(model, version, settings),
        "ports": [{"name": "http", "containerPort": PORT}],
        "securityContext": container_security(),
        "resources": _resources(version, settings),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "artifact", "mountPath": ARTIFACT_DIR, "readOnly": True},
            {"name": "run", "mountPath": RUN_DIR},
        ],
        **_probes(settings),
        # Endpoints are taken out of routing while this sleeps; only then comes SIGTERM.
        "lifecycle": {
            "preStop": {
                "exec": {"command": ["python", "-I", "-c", f"import time; time.sleep({DRAIN_SECONDS})"]}
            }
        },
    }


def _probes(settings: Settings) -> dict[str, Any]:
    period = 1
    threshold = math.ceil((settings.load_timeout_seconds + _STARTUP_SLACK_SECONDS) / period)
    return {
        "startupProbe": _probe("/startupz", period=period, failures=threshold),
        "readinessProbe": _probe("/readyz", period=period, failures=3),
        "livenessProbe": _probe("/healthz", period=10, failures=3),
    }


def _probe(path: str, *, period: int, failures: int) -> Object:
    return {
        "httpGet": {"path": path, "port": PORT},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _resources(version: ModelVersion, settings: Settings) -> Object:
    limit = memory_bytes(version, settings)
    # More requested than allowed would be refused by the API server.
    usual = {"cpu": "100m", "memory": str(min(limit, _USUAL_MEMORY_BYTES))}
    return {
        "requests": _canonical({**usual, **version.resources.requests}),
        "limits": _canonical({**version.resources.limits, "memory": str(limit)}),
    }


def _canonical(quantities: Mapping[str, str]) -> dict[str, str]:
    return {name: canonical(quantity) for name, quantity in quantities.items()}
