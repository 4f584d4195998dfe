"""The objects that a new cluster gets: rights for its own programs, and storage that claims can bind to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cluster.host.plan import Places

Manifest = Mapping[str, Any]

STORAGE_CLASS = "modelport-hostpath"
VOLUMES = 6
# Nominal: as large as the largest claim of the chart's own defaults.
_SIZE = "20Gi"
_RBAC = "rbac.authorization.k8s.io"


def rights() -> list[Manifest]:
    return [
        _bind("modelport:proxy", "system:node-proxier", "system:kube-proxy"),
        _dns_role(),
        _bind("modelport:dns", "modelport:dns", "modelport:dns"),
    ]


def storage(places: Places) -> list[Manifest]:
    return [_storage_class(), *(_volume(volume_folder(places, number)) for number in range(VOLUMES))]


def volume_folder(places: Places, number: int) -> Path:
    return places.volumes / f"modelport-{number}"


def as_list(items: list[Manifest]) -> Manifest:
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _bind(name: str, role: str, user: str) -> Manifest:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": user}],
    }


def _dns_role() -> Manifest:
    read = ["get", "list", "watch"]
    core = ["endpoints", "services", "pods", "namespaces", "nodes"]
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "modelport:dns"},
        "rules": [
            {"apiGroups": [""], "resources": core, "verbs": read},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read},
        ],
    }


def _storage_class() -> Manifest:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "Immediate",
    }


def _volume(folder: Path) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": folder.name},
        "spec": {
            "storageClassName": STORAGE_CLASS,
            "capacity": {"storage": _SIZE},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": str(folder), "type": "Directory"},
        },
    }
