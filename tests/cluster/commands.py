"""Short commands: run, give what was printed, or say in their own words why not."""

import subprocess
from collections.abc import Sequence
from pathlib import Path


class CommandFailed(Exception):
    pass


def run(*command: str | Path, input: str | None = None, timeout: float = 120) -> str:
    answer = subprocess.run(
        command, input=input, capture_output=True, text=True, check=False, timeout=timeout
    )
    if answer.returncode:
        words = " ".join(str(part) for part in command)
        raise CommandFailed(f"{words}: exit code {answer.returncode}: {answer.stderr.strip()}")
    return answer.stdout


def succeeds(*command: str | Path, timeout: float = 30) -> bool:
    try:
        answer = subprocess.run(command, capture_output=True, check=False, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def run_each(commands: Sequence[Sequence[str]]) -> None:
    for command in commands:
        run(*command)
