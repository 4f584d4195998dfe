"""Lines that tell a waiting person what is going on."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_STILL_SECONDS = 60


class StepFailed(Exception):
    """A step's command failed; the text ends with what it printed last."""


def say(line: str) -> None:
    # Not stdout, which `python -m tests.cluster` keeps for its response.
    print(f"==> {line}", file=sys.stderr, flush=True)


def run_step(
    line: str, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
) -> None:
    """Print `line`, run, print each minute that it still runs, and how long it took. Output goes to `log`."""
    say(line)
    began = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env)
        code = _wait(process, began)
    if code:
        raise StepFailed(f"{line}: exit code {code}; {log} ends with:\n{_tail(log)}")
    say(f"    done in {time.monotonic() - began:.0f} s")


def _wait(process: "subprocess.Popen[bytes]", began: float) -> int:
    while True:
        try:
            return process.wait(_STILL_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"    still at it after {(time.monotonic() - began) / 60:.0f} min")


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
