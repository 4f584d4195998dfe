"""How long a process has waited for a processor that others had: none of that time is its own fault."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Self

MOST_TIMES = 10
"""So many times its limit a starved process is given by the clock on the wall, and no more."""
_NANOSECONDS = 1e-9


def arm(load_timeout_seconds: float) -> None:
    """Let SIGALRM end the process at the last.

    The default action needs nobody's co-operation; a Python handler would wait for the interpreter's lock,
    which a C extension may never give back. Main thread only.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, MOST_TIMES * load_timeout_seconds)


class Schedule:
    """Of a process' first thread. Opened before a sandbox closes `/proc`; without one nobody ever waits."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @classmethod
    def open(cls, pid: int) -> Self:
        try:
            return cls(os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            return cls(None)

    def waited(self) -> float:
        """Seconds since it began, in which it could have run."""
        if self._descriptor is None:
            return 0.0
        try:
            return _read_waited(os.pread(self._descriptor, 128, 0))
        except (OSError, ValueError, IndexError):
            return 0.0

    def close(self) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


def waited_with_children(pid: int) -> float:
    """Of a process and those that it has started: a load goes from one to the other."""
    return sum(map(_waited, [pid, *children(pid)]))


def children(pid: int) -> list[int]:
    """Return the processes that its first thread has started; none where the kernel does not report them."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (OSError, ValueError):
        return []


def _waited(pid: int) -> float:
    try:
        return _read_waited(Path(f"/proc/{pid}/schedstat").read_bytes())
    except (OSError, ValueError, IndexError):
        return 0.0


def _read_waited(text: bytes) -> float:
    return int(text.split()[1]) * _NANOSECONDS
