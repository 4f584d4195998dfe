"""Stops the cluster and removes every trace of it, also of one that started only half."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.commands import run
from tests.cluster.host import cgroups, iptables, network, sysctls, traces
from tests.cluster.host.plan import Places
from tests.cluster.host.processes import recorded, stop

_FIRST = ("kubelet", "containerd")
"""Else they would start again what is stopped after them."""


def down(places: Places) -> None:
    if not places.root.exists():
        return
    _stop_processes(places)
    _kill_shims(places)
    cgroups.kill_all()
    _unmount(places.root)
    network.down()
    iptables.clean()
    cgroups.down()
    sysctls.down(places)
    _remove_files(places)


def _stop_processes(places: Places) -> None:
    running = sorted(recorded(places), key=lambda each: each.name not in _FIRST)
    for each in running:
        # At once: all that an orderly end would save is thrown away.
        stop(places, each, signal.SIGKILL)


def _kill_shims(places: Places) -> None:
    """They outlive containerd by design."""
    for pid in _shims(places.containerd_socket):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _shims(socket: Path) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if (
            Path(words[0].decode(errors="replace")).name.startswith("containerd-shim")
            and str(socket).encode() in words
        ):
            yield int(folder.name)


def _unmount(root: Path) -> None:
    for target in reversed(_mounts_below(root)):
        run("umount", "--lazy", target)


def _mounts_below(root: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    targets = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return [target for target in targets if target.startswith(f"{root}/")]


def _remove_files(places: Places) -> None:
    left = _mounts_below(places.root)
    if left:
        raise RuntimeError(f"still mounted, so nothing was removed: {left}")
    traces.remove(places)
    shutil.rmtree(places.root)
