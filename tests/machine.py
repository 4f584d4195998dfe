"""`python -m tests.machine`: one line on how busy and how fast this machine is now.

A run that is slow because others compute beside it can so be told from one on a slow machine.
"""

import os
import time
from pathlib import Path

_LOOPS = 1_000_000
_SECONDS = 2.0
_BUSIEST = 4


def main() -> None:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    busiest = ", ".join(f"{name} {percent:.0f} %" for name, percent in _busiest())
    loop = f"{_loop_seconds() * 1000:.0f} ms of processor time"
    print(f"==> Load {load} on {os.cpu_count()} cores; a loop takes {loop}; busiest: {busiest}", flush=True)


def _loop_seconds() -> float:
    """Of the processor alone: what others take meanwhile does not count."""
    began = time.process_time()
    for _ in range(_LOOPS):
        pass
    return time.process_time() - began


def _busiest() -> list[tuple[str, float]]:
    before = _ticks()
    time.sleep(_SECONDS)
    per_second = os.sysconf("SC_CLK_TCK") * _SECONDS
    shares = [
        (name, (ticks - before[pid][1]) * 100 / per_second)
        for pid, (name, ticks) in _ticks().items()
        if pid in before
    ]
    return sorted(shares, key=lambda each: -each[1])[:_BUSIEST]


def _ticks() -> dict[str, tuple[str, int]]:
    """By process: its command's beginning, and the time it has had. Empty where there is no /proc."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[folder.name] = (command[-60:].strip(), int(fields[11]) + int(fields[12]))
    return found


if __name__ == "__main__":
    main()
