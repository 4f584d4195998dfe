"""The two ServiceAccounts with the rights that docs/contracts.md lists, and no others."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.kubectl import Kubectl

_MODELS, _SLICES = ("serving.modelport.dev", "mlmodels"), ("discovery.k8s.io", "endpointslices")
RIGHTS = {
    "gateway": [(*_MODELS, ["list", "watch"]), (*_SLICES, ["list", "watch"])],
    "control-api": [
        (*_MODELS, ["get", "list", "watch", "create", "patch", "delete"]),
        ("", "pods", ["list"]),
        ("", "pods/log", ["get"]),
    ],
}
# With …_WATCH_ALL_NAMESPACES, in every namespace.
EVERYWHERE = {
    "gateway": [(*_MODELS, ["list", "watch"]), (*_SLICES, ["list", "watch"])],
    "control-api": [(*_MODELS, ["list", "watch"])],
}


def grant(kubectl: Kubectl) -> None:
    """Make both accounts in the models namespace."""
    for who in RIGHTS:
        kubectl.run(
            "apply",
            "-f",
            "-",
            input={"apiVersion": "v1", "kind": "List", "items": _objects(kubectl.namespace, who)},
        )


def revoke(kubectl: Kubectl) -> None:
    """What does not go with the namespace."""
    for who in RIGHTS:
        for kind in ("clusterrolebinding", "clusterrole"):
            kubectl.run("delete", kind, f"{kubectl.namespace}-{who}", "--ignore-not-found")


def kubeconfig_of(kubectl: Kubectl, who: str, path: Path) -> Path:
    """As the cluster's own, but with `who`'s token."""
    whole = subprocess.run(
        [
            "kubectl",
            "--kubeconfig",
            str(kubectl.kubeconfig),
            "config",
            "view",
            "--raw",
            "--minify",
            "-o",
            "json",
        ],
        capture_output=True,
        check=True,
    )
    config = json.loads(whole.stdout)
    config["users"][0]["user"] = {"token": kubectl.run("create", "token", who, "--duration=1h").strip()}
    path.write_text(json.dumps(config))
    return path


def _objects(namespace: str, who: str) -> list[dict[str, Any]]:
    account = {"kind": "ServiceAccount", "name": who, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": who, "namespace": namespace}},
        *_role("Role", {"name": who, "namespace": namespace}, RIGHTS[who], account),
        *_role("ClusterRole", {"name": f"{namespace}-{who}"}, EVERYWHERE[who], account),
    ]


def _role(kind: str, metadata: dict[str, str], rights: Any, account: dict[str, str]) -> list[dict[str, Any]]:
    api = "rbac.authorization.k8s.io"
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": verbs} for group, resource, verbs in rights
    ]
    reference = {"apiGroup": api, "kind": kind, "name": metadata["name"]}
    return [
        {"apiVersion": f"{api}/v1", "kind": kind, "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{api}/v1",
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "subjects": [account],
            "roleRef": reference,
        },
    ]
