"""Threads and memory of the model process, watched from outside: one that takes too many is ended.

The kernel cannot count them for one process: its limit on processes is a user's. Memory has a
limit in the process too (its address space), which a machine may not hold.
"""

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from modelport_http.wording import counted

from modelport_runtime.process.supervision import Child

MAX_THREADS = max(256, 4 * (os.cpu_count() or 1))
"""A pool for each processor in several libraries, and far from what a machine can bear."""
_PERIOD_SECONDS = 0.25
_FIELDS_AFTER_NAME = 2
_THREADS, _RESIDENT_PAGES = 20 - _FIELDS_AFTER_NAME - 1, 24 - _FIELDS_AFTER_NAME - 1
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Ended:
    """Why a model's process has ended. `message` is for its owner, with the figures."""

    reason: str
    message: str


class Usage:
    """Of a process. Opened before a sandbox closes `/proc`; without one nothing is ever seen."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @classmethod
    def open(cls, pid: int) -> Self:
        try:
            return cls(os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            return cls(None)

    def read(self) -> tuple[int, int]:
        """Return its threads and the bytes that it holds in memory; none if it has ended."""
        if self._descriptor is None:
            return 0, 0
        try:
            # A name of its own choice, which may hold anything, stands in brackets before the figures.
            fields = os.pread(self._descriptor, 1024, 0).rpartition(b")")[2].split()
        except ProcessLookupError:
            return 0, 0
        return int(fields[_THREADS]), int(fields[_RESIDENT_PAGES]) * _PAGE_BYTES

    def close(self) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


class UsageWatch:
    """`begin`, and `end` with the process. `overuse`: what it was ended for."""

    def __init__(self, child: Child, usage: Usage, memory_bytes: int) -> None:
        self.overuse: Ended | None = None
        self._child = child
        self._usage = usage
        self._memory_bytes = memory_bytes
        self._due: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        self._due = asyncio.get_running_loop().call_later(_PERIOD_SECONDS, self._look)

    def end(self) -> None:
        if self._due is not None:
            self._due.cancel()
        self._usage.close()

    def _look(self) -> None:
        self.overuse = _judge(*self._usage.read(), self._memory_bytes)
        if self.overuse is None:
            self.begin()
        else:
            self._child.kill()


def _judge(threads: int, resident: int, most_bytes: int) -> Ended | None:
    if threads > MAX_THREADS:
        message = f"The model ran {counted(threads, 'thread')} at once; at most {MAX_THREADS} are allowed."
        return Ended("SandboxViolation", message)
    if resident > most_bytes:
        used, limit = resident // 1024**2, most_bytes // 1024**2
        return Ended("OutOfMemory", f"The model held {used} MiB in memory; its limit is {limit} MiB.")
    return None
