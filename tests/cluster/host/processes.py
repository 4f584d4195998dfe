"""The cluster's processes: each in a session of its own, with a log, known by pid *and* start time."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.cluster.host.plan import Places
from tests.cluster.waiting import wait_until

_GONE_SECONDS = 60


class ProcessTrouble(Exception):
    pass


@dataclass(frozen=True)
class Running:
    name: str
    pid: int
    started: int
    """Clock ticks since boot: a pid alone may be another process's by now."""
    command: tuple[str, ...]
    env: Mapping[str, str]

    def alive(self) -> bool:
        return _start_time(self.pid) == self.started


def start(
    places: Places, name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None
) -> Running:
    words, extra = tuple(str(part) for part in command), dict(env or {})
    with (places.logs / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            words,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **extra},
            start_new_session=True,
        )
    running = Running(name, process.pid, _start_time(process.pid) or 0, words, extra)
    _record(places, name).write_text(json.dumps(asdict(running)))
    return running


def recorded(places: Places) -> Iterator[Running]:
    for file in sorted(places.processes.glob("*.json")):
        fields = json.loads(file.read_text())
        yield Running(**{**fields, "command": tuple(fields["command"])})


def find(places: Places, name: str) -> Running:
    for running in recorded(places):
        if running.name == name:
            return running
    raise ProcessTrouble(f"no process {name} is recorded in {places.processes}")


def stop(places: Places, running: Running, number: signal.Signals = signal.SIGTERM) -> None:
    """Return when it has gone: a program that drains may hold its port for seconds."""
    for each in (number, signal.SIGKILL):
        if running.alive():
            os.kill(running.pid, each)
        if wait_until(lambda: not running.alive(), _GONE_SECONDS):
            _record(places, running.name).unlink(missing_ok=True)
            return
    raise ProcessTrouble(f"{running.name} (pid {running.pid}) does not end")


def restart(places: Places, name: str, number: signal.Signals = signal.SIGTERM) -> Running:
    running = find(places, name)
    stop(places, running, number)
    return start(places, name, running.command, running.env)


def _record(places: Places, name: str) -> Path:
    return places.processes / f"{name}.json"


def _start_time(pid: int) -> int | None:
    """None when there is no such process, or none that still runs."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name, in parentheses, may hold blanks.
    fields = text.rpartition(")")[2].split()
    # A zombie whose other threads are not through yet still holds its ports.
    ended = fields[0] in "ZX" and _threads(pid) <= 1
    return None if ended else int(fields[19])


def _threads(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except (FileNotFoundError, ProcessLookupError):
        return 0
