"""What processes cost: CPU time and proportional memory of a process and all that it started."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM = 1, 11, 12  # fields of /proc/<pid>/stat, counted behind the name


def _fields(pid: int) -> list[str] | None:
    """None for a process that has ended."""
    try:
        # The name, in parentheses, may hold spaces.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def tree(root: int) -> list[int]:
    """`root` and its descendants."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _fields(int(name))):
            children.setdefault(int(fields[_PARENT]), []).append(int(name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(pids: list[int]) -> float:
    """User and system time so far of those that run still."""
    alive = [fields for pid in pids if (fields := _fields(pid))]
    return sum(int(fields[_USER]) + int(fields[_SYSTEM]) for fields in alive) / _TICKS


def pss_mib(pids: list[int]) -> float | None:
    """Proportional set size of all together; None where the kernel does not let us look."""
    try:
        return sum(_pss_kib(pid) for pid in pids) / 1024
    except PermissionError:
        return None


def _pss_kib(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
