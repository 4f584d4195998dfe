"""Ends a container that holds more memory than its limit, as the kernel does on a node."""

import asyncio
import os
from pathlib import Path

from modelport_kube.kube import Object
from modelport_operator.core.quantities import to_bytes
from modelport_runtime.process.starvation import children

from modelport_standalone.local_cluster.probes import Termination

_PERIOD_SECONDS = 1.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class MemoryWatch:
    """Of a container's process and those that it has started."""

    def __init__(self, container: Object, pid: int) -> None:
        limit = container.get("resources", {}).get("limits", {}).get("memory")
        self._limit = to_bytes(limit) if limit else None
        self._pid = pid

    async def run(self) -> Termination:
        """Return only when the process must be killed."""
        while self._limit is None or (held := self._held(self._limit)) <= self._limit:  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(_PERIOD_SECONDS)
        used, limit = held // 1024**2, self._limit // 1024**2
        return Termination("OOMKilled", f"It held {used} MiB of memory; its limit is {limit} MiB.")

    def _held(self, limit: int) -> int:
        """What both have in common is counted twice at first: to count it once takes the kernel long."""
        processes = [self._pid, *children(self._pid)]
        roughly = sum(map(_resident, processes))
        return roughly if roughly <= limit else sum(map(_proportional, processes))


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    """Of a page that many have, its part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
