"""Environments that hold nothing, on the Pythons that this machine has, for what users install themselves."""

import os
import re
import subprocess
import sys
from pathlib import Path

_UV = Path(sys.executable).with_name("uv")
_OLDEST = (3, 11)
# The platform's own settings and packages are not those of its users.
_OURS = (
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "COVERAGE_PROCESS_CONFIG",
    "MODELPORT_API_KEY",
    "MODELPORT_URL",
)


def pythons() -> list[str]:
    """The oldest that the client supports, and the newest one here; one where they are the same."""
    listed = _run([_UV, "python", "list", "--only-installed", "--offline", "--no-python-downloads"])
    found = {(int(major), int(minor)) for major, minor in re.findall(r"cpython-(\d+)\.(\d+)\.\d+-", listed)}
    newest = max({version for version in found if version >= _OLDEST} | {sys.version_info[:2]})
    return sorted({f"{major}.{minor}" for major, minor in (_OLDEST, newest)}, key=lambda name: int(name[2:]))


def make(folder: Path, python: str) -> Path:
    """Return the interpreter of a new environment without any package."""
    _run([_UV, "venv", "--quiet", "--no-python-downloads", "--python", python, folder])
    return folder / "bin" / "python"


def pip(python: Path, *arguments: str) -> str:
    """Call pip for the environment: uv's, which keeps what it has downloaded."""
    return _run([_UV, "pip", *arguments, "--python", python])


def command(python: Path, name: str, *arguments: str) -> str:
    """Return what a program of the environment prints."""
    return _run([python.with_name(name), *arguments])


def run(python: Path, code: str, **environment: str) -> str:
    """Return what the program prints. It sees no package but those of the environment."""
    return _run([python, "-I", "-c", code], **environment)


def _run(command: list[str | Path], **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in _OURS}
    done = subprocess.run(
        command, env={**clean, **environment}, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout
