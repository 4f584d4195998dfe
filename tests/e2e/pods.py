"""Pods that tests put beside the platform's."""

from typing import Any


def restricted_pod(name: str, image: str, command: list[str], volume: Any, mount: Any) -> dict[str, Any]:
    """As Pod Security's strictest wants it."""
    container = {
        "name": name,
        "image": image,
        "command": command,
        "volumeMounts": [mount],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = {"securityContext": security, "containers": [container], "volumes": [volume]}
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
