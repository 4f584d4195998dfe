"""A plain HTTP server in the cluster with a model file on it, and MLModels that name the file."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.release import Platform


@dataclass(frozen=True)
class File:
    uri: str
    sha256: str


@contextmanager
def serving(platform: Platform, path: Path) -> Iterator[File]:
    content = path.read_bytes()
    objects = _objects(path.name, content, platform.runtime_image)
    for obj in objects:
        platform.release.run("apply", "-f", "-", input=obj)
    platform.release.run("wait", "--for=condition=Ready", "pod/shelf", "--timeout=60s", timeout=90)
    uri = f"http://shelf.{platform.release.namespace}.svc:8000/{path.name}"
    yield File(uri, hashlib.sha256(content).hexdigest())
    for obj in objects:
        platform.release.run("delete", obj["kind"], "shelf", "--wait=false")


def _objects(name: str, content: bytes, image: str) -> list[dict[str, Any]]:
    metadata = {"name": "shelf", "labels": {"app": "shelf"}}
    container = {
        "name": "shelf",
        "image": image,
        "command": ["python", "-m", "http.server", "8000", "--directory", "/shelf"],
        "readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1},
        "volumeMounts": [{"name": "shelf", "mountPath": "/shelf"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    volumes = [{"name": "shelf", "configMap": {"name": "shelf"}}]
    pod = {"securityContext": security, "containers": [container], "volumes": volumes}
    service = {"selector": {"app": "shelf"}, "ports": [{"port": 8000}]}
    file = {name: base64.b64encode(content).decode()}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "binaryData": file},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
    ]


def mlmodel(name: str, file: File, **spec: Any) -> dict[str, Any]:
    version = {"name": "v1", "framework": "sklearn", "artifact": {"uri": file.uri, "sha256": file.sha256}}
    traffic = [{"version": "v1", "weight": 100}]
    return {
        "apiVersion": "serving.modelport.dev/v1alpha1",
        "kind": "MLModel",
        "metadata": {"name": name},
        "spec": {"access": "public", "versions": [version], "traffic": traffic, **spec},
    }
