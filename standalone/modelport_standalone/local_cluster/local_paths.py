"""Where a pod's volumes lie on this machine, and its template's paths turned into those."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelport_kube.kube import Object

UNIX = "unix:"
# sockaddr_un holds 108 bytes on Linux, 104 elsewhere; what follows the base is a pod's folder and the file.
_LONGEST_BASE = 60
_BASE_PREFIX = "modelport-"


def plan_socket_base() -> Path:
    """Return a short path where there is nothing yet."""
    candidates = (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir())
    usable = (path for path in candidates if path and len(path) < _LONGEST_BASE and os.access(path, os.W_OK))
    parent = next(usable, "/tmp")  # noqa: S108 - the name cannot be guessed, and making it fails if it is there
    return Path(parent) / f"{_BASE_PREFIX}{secrets.token_hex(6)}"


def is_socket_base(path: Path) -> bool:
    """Return whether its name is one of `plan_socket_base`; the folder need not exist."""
    return path.name.startswith(_BASE_PREFIX)


@dataclass(frozen=True)
class PodPaths:
    """`folder` is the pod's own; the volume that holds its socket is elsewhere: its path must be short."""

    folder: Path
    socket_folder: Path
    socket_volume: str | None = field(default=None)

    @classmethod
    def plan(cls, name: str, template: Object, pods: Path, sockets: Path) -> "PodPaths":
        return cls(pods / name, sockets / secrets.token_hex(4), _find_socket_volume(template))

    def make(self, template: Object) -> None:
        """Make the pod's folders. Blocking."""
        self.folder.mkdir(mode=0o700, parents=True)
        for volume in template["spec"].get("volumes", []):
            self.of(volume["name"]).mkdir(mode=0o700, parents=True)

    def of(self, volume: str) -> Path:
        return self.socket_folder if volume == self.socket_volume else self.folder / volume

    def remove(self) -> None:
        """Blocking."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.socket_folder, ignore_errors=True)

    def localize(self, container: Object, text: str) -> str:
        """Replace a mount path at the beginning of `text`. Only there: the rest may be a user's own data."""
        prefix = UNIX if text.startswith(UNIX) else ""
        path = text.removeprefix(prefix)
        for mount in container.get("volumeMounts", []):
            base = mount["mountPath"]
            if path == base or path.startswith(f"{base}/"):
                return prefix + str(self.of(mount["name"])) + path[len(base) :]
        return text

    def socket_of(self, container: Object) -> str | None:
        """Where the container listens: the path in `unix:…` of its environment."""
        for value in environment_of(container).values():
            if value.startswith(UNIX):
                return self.localize(container, value).removeprefix(UNIX)
        return None


def environment_of(container: Object) -> Mapping[str, str]:
    """Return the container's variables by name; empty for one that comes from a Secret."""
    return {each["name"]: each.get("value", "") for each in container.get("env", [])}


def _find_socket_volume(template: Object) -> str | None:
    containers: list[dict[str, Any]] = template["spec"]["containers"]
    for container in containers:
        for value in environment_of(container).values():
            for mount in container.get("volumeMounts", []):
                if value.startswith(f"{UNIX}{mount['mountPath']}/"):
                    return str(mount["name"])
    return None
