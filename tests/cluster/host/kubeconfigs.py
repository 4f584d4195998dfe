"""kubeconfig files, whole in themselves: certificates are inside, so that a file can be copied."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.host.certificates import Pair
from tests.cluster.host.plan import API_URL


def kubeconfig(authority: Path, user: str, pair: Pair) -> Mapping[str, Any]:
    cluster = {"server": API_URL, "certificate-authority-data": _base64(authority)}
    identity = {
        "client-certificate-data": _base64(pair.certificate),
        "client-key-data": _base64(pair.key),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "modelport", "cluster": cluster}],
        "users": [{"name": user, "user": identity}],
        "contexts": [{"name": "modelport", "context": {"cluster": "modelport", "user": user}}],
        "current-context": "modelport",
    }


def write(path: Path, authority: Path, user: str, pair: Pair) -> Path:
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(dict(kubeconfig(authority, user, pair))))
    return path


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
