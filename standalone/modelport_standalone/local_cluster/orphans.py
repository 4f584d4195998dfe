"""What a platform that was killed left behind: its child processes and their folders."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

import structlog

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
            log.info("processes of an earlier run killed", count=killed)
        return killed


def clear_folder(folder: Path) -> None:
    """Empty it, whatever an earlier run left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)


def replace_socket_base(note: Path, base: Path) -> None:
    """Remember in `note` where the sockets are, and remove the folder that an earlier run noted there."""
    if note.exists():
        earlier = Path(note.read_text())
        # A damaged note must not make us remove a folder that is not ours.
        if (
            earlier.name.startswith("modelport-")
            and earlier.is_dir()
            and earlier.stat().st_uid == os.getuid()
        ):
            shutil.rmtree(earlier, ignore_errors=True)
    note.write_text(str(base))


def _start_time(pid: int) -> str | None:
    """In clock ticks since boot; None if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field, the name, may hold spaces and parentheses.
    return stat.rpartition(")")[2].split()[19]
