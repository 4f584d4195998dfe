"""A plain HTTP server in the cluster with a model file on it, and MLModels that name the file."""

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import joblib

from tests.e2e.pods import restricted_pod
from tests.e2e.release import Platform


@dataclass(frozen=True)
class File:
    uri: str
    sha256: str


@contextmanager
def serving(platform: Platform, path: Path) -> Iterator[File]:
    with serving_all(platform, {path.name: path.read_bytes()}) as files:
        yield files[path.name]


@contextmanager
def serving_all(platform: Platform, contents: Mapping[str, bytes]) -> Iterator[dict[str, File]]:
    """By name; a mebibyte of all together."""
    # A name of its own: one that a killed run left behind serves other contents.
    server = f"artifact-server-{uuid4().hex[:8]}"
    objects = _objects(server, contents, platform.runtime_image)
    try:
        for obj in objects:
            platform.release.run("apply", "-f", "-", input=obj)
        platform.release.run("wait", "--for=condition=Ready", f"pod/{server}", "--timeout=240s", timeout=270)
        address = f"http://{server}.{platform.release.namespace}.svc:8000"
        yield {
            name: File(f"{address}/{name}", hashlib.sha256(content).hexdigest())
            for name, content in contents.items()
        }
    finally:
        for obj in objects:
            platform.release.run("delete", obj["kind"], server, "--wait=false", "--ignore-not-found")


def put_on_a_claim(platform: Platform, claim: str, path: str, model: Any) -> File:
    """Save the model at `path` of a volume claim in the models' namespace, which is made for it."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    content = buffer.getvalue()
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    wanted = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": claim}, "spec": spec}
    platform.models.run("apply", "-f", "-", input=wanted)
    write = (
        "import base64, pathlib; "
        f"path = pathlib.Path('/claim/{path}'); path.parent.mkdir(parents=True, exist_ok=True); "
        f"path.write_bytes(base64.b64decode('{base64.b64encode(content).decode()}'))"
    )
    volume = {"name": "claim", "persistentVolumeClaim": {"claimName": claim}}
    mount = {"name": "claim", "mountPath": "/claim"}
    pod = restricted_pod("writer", platform.runtime_image, ["python", "-c", write], volume, mount)
    pod["spec"]["restartPolicy"] = "Never"
    platform.models.run("apply", "-f", "-", input=pod)
    phase = "--for=jsonpath={.status.phase}=Succeeded"
    platform.models.run("wait", phase, "pod/writer", "--timeout=240s", timeout=270)
    platform.models.run("delete", "pod", "writer")
    return File(f"pvc://{claim}/{path}", hashlib.sha256(content).hexdigest())


def _objects(name: str, contents: Mapping[str, bytes], image: str) -> list[dict[str, Any]]:
    metadata = {"name": name, "labels": {"app": name}}
    command = ["python", "-m", "http.server", "8000", "--directory", "/artifacts"]
    volume = {"name": "artifacts", "configMap": {"name": name}}
    pod = restricted_pod(name, image, command, volume, {"name": "artifacts", "mountPath": "/artifacts"})
    pod["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 8000}, "periodSeconds": 1}
    service = {"selector": {"app": name}, "ports": [{"port": 8000}]}
    files = {name: base64.b64encode(content).decode() for name, content in contents.items()}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "binaryData": files},
        pod,
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
