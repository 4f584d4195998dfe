"""What containerd, its plugins and kubelet leave outside the state folder; other clusters' is left alone."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from tests.cluster.host.plan import Places

_NETWORK_RESULTS = Path("/var/lib/cni/results")
_POD_LOGS = Path("/var/log/containers")
_DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
_SHIMS = Path("/run/containerd/s")
_FOLDERS = (
    _NETWORK_RESULTS,
    _NETWORK_RESULTS.parent,
    _POD_LOGS,
    _DEVICE_PLUGINS,
    _DEVICE_PLUGINS.parent,
    _SHIMS,
    _SHIMS.parent,
)


def remove(places: Places) -> None:
    """While the state folder is still there: it tells which are ours."""
    for path in chain(_pod_logs(places), _network_results(), _shim_sockets(places), _device_plugins()):
        path.unlink(missing_ok=True)
    for folder in _FOLDERS:
        # Not empty: others use it. Busy: it is a mount.
        with suppress(OSError):
            folder.rmdir()


def _pod_logs(places: Places) -> Iterator[Path]:
    for link in _POD_LOGS.glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(places.root):
            yield link


def _network_results() -> Iterator[Path]:
    for path in _NETWORK_RESULTS.glob("modelport-cluster-*-eth0"):
        pod = path.name.removeprefix("modelport-cluster-").removesuffix("-eth0")
        yield from (path, path.with_name(f"cni-loopback-{pod}-lo"))


def _shim_sockets(places: Places) -> Iterator[Path]:
    for file in places.containerd.glob("state/io.containerd.runtime.v2.task/k8s.io/*/address"):
        yield Path(file.read_text().removeprefix("unix://"))


def _device_plugins() -> Iterator[Path]:
    """Where kubelet listens whatever its own folder is."""
    names = ("kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION")
    return (_DEVICE_PLUGINS / name for name in names)
