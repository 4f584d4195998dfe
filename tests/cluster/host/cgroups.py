"""All pods live below one control group: what is in it is ours to kill, and nothing else is."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.host.plan import CGROUP
from tests.cluster.waiting import wait_until

_ROOT = Path("/sys/fs/cgroup")


def up() -> None:
    for folder in _ours():
        folder.mkdir(exist_ok=True)


def kill_all() -> None:
    if not wait_until(_kill_once, 10):
        raise RuntimeError(f"processes in the control group {CGROUP} do not end: {sorted(_members())}")


def down() -> None:
    for folder in _ours():
        for path in [*sorted(folder.glob("**/"), reverse=True), folder]:
            if path.exists():
                wait_until(lambda path=path: _removed(path), 5)  # type: ignore[misc]


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return not folder.exists()
    return True


def _kill_once() -> bool:
    members = set(_members())
    for pid in members:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return not members


def _members() -> Iterator[int]:
    for folder in _ours():
        for file in folder.glob("**/cgroup.procs"):
            yield from (int(line) for line in file.read_text().split())


def _ours() -> list[Path]:
    """One folder in each version 1 hierarchy, or the one of version 2."""
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT / CGROUP]
    hierarchies = [folder for folder in _ROOT.iterdir() if folder.is_dir() and not folder.is_symlink()]
    return [folder / CGROUP for folder in hierarchies]
