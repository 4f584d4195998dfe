"""Processes as the kernel tells of them; a pid with its start time is never another process's."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PPID, _UTIME, _STIME, _STARTED = 1, 11, 12, 19


@dataclass(frozen=True)
class Child:
    pid: int
    started: str
    command: str

    @property
    def alive(self) -> bool:
        fields = _stat(self.pid)
        return fields is not None and fields[_STARTED] == self.started and fields[0] != "Z"

    @property
    def is_runtime(self) -> bool:
        return self.command.endswith("-m modelport_runtime")

    @property
    def is_batch_worker(self) -> bool:
        return "-m modelport_standalone.batch_worker " in self.command

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        if self.alive:
            self.send(signal.SIGKILL)


def children_of(pid: int) -> list[Child]:
    return [child for child, parent in _all() if parent == pid]


def cpu_seconds(pid: int) -> float:
    """User and system time since its start."""
    fields = _stat(pid)
    assert fields is not None, f"process {pid} is gone"
    return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK")


def pss_bytes(pid: int) -> int:
    """Memory, with what is shared divided among its users."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"the kernel tells nothing of the memory of {pid}")


def _all() -> Iterator[tuple[Child, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))) and fields[0] != "Z":
            with suppress(OSError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                yield Child(int(entry.name), fields[_STARTED], command), int(fields[_PPID])


def _stat(pid: int) -> list[str] | None:
    """The fields after the name: state first."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
