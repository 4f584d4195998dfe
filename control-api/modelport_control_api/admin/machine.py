"""What the machine has left: processors, memory, disks. Of Linux by `/proc`; what is unknown is None."""

import os
import shutil
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_SHORTEST_SECONDS = 1.0
"""Two readings must lie so far apart that the kernel's ticks, a hundredth of a second, tell a share."""
_IDLE = slice(3, 5)
"""Of the figures of `/proc/stat`: idle, and waiting for a disk."""
# Guests' time is in the user's already.
_OWN_FIGURES = 8


@dataclass(frozen=True, slots=True)
class Ticks:
    """Time of all processors together since the machine started."""

    busy: int
    total: int


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes. `available`: what processes could take without swapping."""

    total: int
    available: int


class ProcessorUse:
    """The share of the processors' time that was used since the reading before; of the first: since start.

    Readings share it: several administrators who look at once see the same.
    """

    def __init__(self, read: Callable[[], Ticks | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock = read, clock
        self._at, self._ticks = clock(), Ticks(0, 0)
        self._share: float | None = None

    def share(self) -> float | None:
        """Return it as a share of 1; None where the machine does not tell."""
        now, ticks = self._clock(), self._read()
        if ticks is None or (self._share is not None and now - self._at < _SHORTEST_SECONDS):
            return self._share
        passed = ticks.total - self._ticks.total
        if passed > 0:
            self._share = (ticks.busy - self._ticks.busy) / passed
        self._at, self._ticks = now, ticks
        return self._share


def read_ticks(proc: Path = _PROC) -> Ticks | None:
    """Return what the kernel counted; None on other systems than Linux."""
    try:
        first = (proc / "stat").read_text().partition("\n")[0]
        figures = [int(figure) for figure in first.split()[1 : 1 + _OWN_FIGURES]]
    except (OSError, ValueError):
        return None
    total = sum(figures)
    return Ticks(total - sum(figures[_IDLE]), total)


def read_memory(proc: Path = _PROC) -> Memory | None:
    """Return the machine's memory; None on other systems than Linux."""
    try:
        lines = (proc / "meminfo").read_text().splitlines()
        kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        return Memory(kilobytes["MemTotal"] * 1024, kilobytes["MemAvailable"] * 1024)
    except (OSError, ValueError, KeyError, IndexError):
        return None


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that a folder is on, in bytes. `free`: for the platform, without root's reserve."""

    folder: str
    total: int
    free: int


def read_disks(folders: Sequence[Path]) -> list[Disk]:
    """Return the disks of the folders, each once, under the first of them. What is gone is left out."""
    found: dict[int, Disk] = {}
    for folder in folders:
        try:
            device, usage = folder.stat().st_dev, shutil.disk_usage(folder)
        except OSError:
            continue
        if usage.total:
            found.setdefault(device, Disk(str(folder), usage.total, usage.free))
    return list(found.values())


def name_of_machine() -> str:
    """Of a pod it is the pod's."""
    return socket.gethostname()


def processors() -> int:
    """Return how many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


PROCESSOR_USE = ProcessorUse(read_ticks)
"""Of this machine: one for the process."""
