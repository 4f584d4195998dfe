"""Closed-loop load by wrk: so many connections, each of which sends its next request after a response."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.load.prepared import Numbers, Prepared

_SCRIPT = str(Path(__file__).with_name("load.lua"))


@dataclass(frozen=True)
class Slice:
    """What one run of wrk saw. Latencies in milliseconds."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def require() -> None:
    """Raises SystemExit where there is no wrk."""
    if shutil.which("wrk") is None:
        raise SystemExit("make bench needs wrk, which is not on PATH: apt-get install wrk")


def run(
    address: str, prepared: Prepared, numbers: Numbers, *, connections: int, seconds: float, core: int
) -> Slice:
    """Load `host:port`. Raises RuntimeError if any response is not 2xx or any connection breaks."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{_duration(seconds)}", "--timeout", "30s"]
    command += ["-s", _SCRIPT, f"http://{address}/", "--", str(prepared.path), str(numbers.next)]
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    report = run.stdout.rpartition("@")[2]
    if run.returncode or not report.startswith("{"):
        raise RuntimeError(f"wrk failed on {address}: {run.stdout}{run.stderr}")
    return _read(json.loads(report), address, numbers)


def _duration(seconds: float) -> str:
    # wrk takes whole seconds only.
    return f"{max(1, round(seconds))}s"


def _read(report: dict[str, float], address: str, numbers: Numbers) -> Slice:
    requests = int(report["requests"])
    numbers.used(requests)
    if report["refused"] or report["broken"] or not requests:
        raise RuntimeError(
            f"{address}: of {requests} answers {report['refused']:.0f} were errors, "
            f"and {report['broken']:.0f} connections broke"
        )
    return Slice(requests, report["seconds"], report["p50_ms"], report["p99_ms"])
