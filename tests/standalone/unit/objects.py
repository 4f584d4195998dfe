"""Objects to give to a cluster, and waiting for what it makes of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from modelport_standalone.local_cluster.cluster import LocalCluster

NAMESPACE = "modelport-models"
_SERVER = Path(__file__).with_name("pod_server.py")


def model(name: str = "iris", **spec: Any) -> dict[str, Any]:
    artifact = {"uri": f"artifact:{'a' * 64}", "sha256": "a" * 64}
    version = {"name": "v1", "framework": "sklearn", "artifact": artifact}
    return {
        "apiVersion": "serving.modelport.dev/v1alpha1",
        "kind": "MLModel",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"a": "1"}},
        "spec": {"versions": [version], "traffic": [{"version": "v1", "weight": 100}], **spec},
    }


def deployment(
    *, replicas: int = 1, init: str | None = None, owner: str | None = None, **env: str
) -> dict[str, Any]:
    """`env` tells the pod's server what to do; `init`: Python code of an init container."""
    fetch = {"name": "fetch", "command": ["python", "-I", "-c", init], **_mounts()}
    spec = {
        "initContainers": [fetch] if init else [],
        "containers": [_container(env)],
        "volumes": [{"name": "run", "emptyDir": {}}, {"name": "artifact", "emptyDir": {}}],
    }
    references = [{"kind": "MLModel", "uid": owner}] if owner else []
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "iris-v1", "namespace": NAMESPACE, "ownerReferences": references},
        "spec": {"replicas": replicas, "template": {"metadata": {"labels": {"a": "1"}}, "spec": spec}},
    }


def _container(env: dict[str, str]) -> dict[str, Any]:
    variables = {"LISTEN": "unix:/modelport/run/http.sock", **env}
    return {
        "name": "model",
        "command": ["python", "-I", str(_SERVER)],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "startupProbe": {"httpGet": {"path": "/startupz"}, "periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": {"httpGet": {"path": "/readyz"}, "timeoutSeconds": 5},
        **_mounts(),
    }


def _mounts() -> dict[str, Any]:
    return {
        "volumeMounts": [
            {"name": "run", "mountPath": "/modelport/run"},
            {"name": "artifact", "mountPath": "/modelport/artifact"},
        ]
    }


async def apply(cluster: LocalCluster, obj: dict[str, Any]) -> dict[str, Any]:
    return await cluster.apply(obj, field_manager="test")


async def pods(cluster: LocalCluster) -> list[dict[str, Any]]:
    return await cluster.list("Pod", None)


async def ready_addresses(cluster: LocalCluster) -> list[str]:
    return [
        endpoint["addresses"][0]
        for found in await cluster.list("EndpointSlice", None)
        for endpoint in found["endpoints"]
        if endpoint["conditions"]["ready"] and not endpoint["conditions"]["terminating"]
    ]


async def wait_for_pod(cluster: LocalCluster, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the first pod of which `wanted` is true."""
    give_up_at = time.monotonic() + 120
    while True:
        found = await pods(cluster)
        for pod in found:
            if wanted(pod):
                return pod
        assert time.monotonic() < give_up_at, found
        await asyncio.sleep(0.02)


async def wait_for_count(
    cluster: LocalCluster, count: int, meanwhile: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Wait until there are so many pods; `meanwhile` is called again and again."""
    give_up_at = time.monotonic() + 120
    while len(await pods(cluster)) != count:
        assert time.monotonic() < give_up_at
        if meanwhile is not None:
            await meanwhile()
        await asyncio.sleep(0.02)


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def container(pod: dict[str, Any]) -> dict[str, Any]:
    status: dict[str, Any] = pod["status"].get("containerStatuses", [{"state": {}, "restartCount": 0}])[0]
    return status


async def printed(cluster: LocalCluster, pod: dict[str, Any]) -> str:
    return await cluster.pod_logs(NAMESPACE, pod["metadata"]["name"])


async def pid_of(cluster: LocalCluster, pod: dict[str, Any]) -> int:
    hellos = [line for line in (await printed(cluster, pod)).splitlines() if line.startswith("hello from")]
    return int(hellos[-1].split()[2])
