"""The worker of a platform's process: finding it, and killing it at moments that it does not choose."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support.waiting import eventually


def find_worker(platform_pid: int) -> int | None:
    """The pid of the worker that this platform runs now."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _is_worker_of(entry, platform_pid):
            return int(entry.name)
    return None


def kill_worker(platform_pid: int, moments: random.Random, *, within_seconds: float = 1.5) -> None:
    """Wait for a worker, then for a random while, and kill it with SIGKILL."""
    eventually(lambda: find_worker(platform_pid))
    time.sleep(moments.uniform(0.3, 0.3 + within_seconds))
    _kill(platform_pid)


def kill_worker_at_work(platform_pid: int, rows_done: Callable[[], int]) -> None:
    """Wait until the job has more rows done than now, however slow the machine is, and kill its worker."""
    before = rows_done()
    eventually(lambda: rows_done() > before, seconds=300)
    _kill(platform_pid)


def _kill(platform_pid: int) -> None:
    pid = find_worker(platform_pid)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _is_worker_of(entry: Path, platform_pid: int) -> bool:
    try:
        parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        return parent == platform_pid and b"batch_worker" in (entry / "cmdline").read_bytes()
    except OSError:
        return False
