"""What a platform that was killed left behind: its child processes and their folders."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

import structlog

from modelport_standalone.local_cluster.local_paths import is_socket_base, plan_socket_base

log = structlog.get_logger(__name__)


class ChildRegister:
    """One small file a child, `<pid>`, holds when it was started: a pid alone may be reused by now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(self, pid: int) -> None:
        started = _start_time(pid)
        if started is not None:
            (self._folder / str(pid)).write_text(started)

    def remove(self, pid: int) -> None:
        (self._folder / str(pid)).unlink(missing_ok=True)

    def kill_leftovers(self) -> int:
        """Kill what an earlier platform started and did not stop; give how many. Before the first `add`."""
        killed = 0
        for entry in self._folder.iterdir():
            if entry.name.isdecimal() and _start_time(int(entry.name)) == entry.read_text():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(int(entry.name), signal.SIGKILL)
                    killed += 1
            entry.unlink()
        if killed:
            log.info("orphaned_processes_killed", count=killed)
        return killed


def clear_folder(folder: Path) -> None:
    """Empty it, whatever an earlier run left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)


def renew_socket_base(note: Path) -> Path:
    """Make the folder for sockets and note its path; the one that an earlier run noted goes."""
    if note.exists():
        _remove_socket_base(Path(note.read_text()))
    base = plan_socket_base()
    # Noted before it is made: a kill in between must not leave a folder that nobody knows of.
    note.write_text(str(base))
    base.mkdir(mode=0o700)
    return base


def _remove_socket_base(base: Path) -> None:
    # A damaged note must not make us remove a folder that is not ours.
    if is_socket_base(base) and base.is_dir() and base.stat().st_uid == os.getuid():
        shutil.rmtree(base, ignore_errors=True)


def _start_time(pid: int) -> str | None:
    """In clock ticks since boot; None if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field, the name, may hold spaces and parentheses.
    return stat.rpartition(")")[2].split()[19]
