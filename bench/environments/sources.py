"""Where the matrix has its files from: a folder for each row, with what their own library answered."""

import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from modelport_environments.catalogue import find
from modelport_environments.choice import OF_SKLEARN
from modelport_environments.uv import find_uv
from modelport_standalone.environments.store import EnvironmentStore, default_folder

_HERE = Path(__file__).parent
_VERSIONS = _HERE / "boosters.txt"
_PYTHON = "3.11"

Fill = Callable[[Path], None]
"""Writes the files of a row, and `answers.json`, into an empty folder."""


def rows() -> Mapping[str, Fill]:
    """Return what fills a folder, by the row's name."""
    trained = {name: partial(_train_estimators, name) for name in OF_SKLEARN}
    lines = [line for line in _VERSIONS.read_text().splitlines() if line[:1] not in ("#", "")]
    return {**trained, **{_name(line): partial(_train_boosters, line) for line in lines}}


def python_of(environment: str) -> Path:
    """Return an environment's Python, which is made if it is not there. Raises EnvironmentUnavailable."""
    return EnvironmentStore(default_folder()).prepare(find(environment))


def _name(line: str) -> str:
    """`xgboost-cpu==2.1.4 …` is `xgboost-2.1.4`."""
    library, _, version = line.partition(" ")[0].partition("==")
    return f"{library.removesuffix('-cpu')}-{version}"


def _train_estimators(environment: str, folder: Path) -> None:
    subprocess.run([python_of(environment), "-I", _HERE / "train.py", folder], check=True)


def _train_boosters(line: str, folder: Path) -> None:
    python = _made(line)
    library = _name(line).partition("-")[0]
    subprocess.run([python, "-I", _HERE / "train_boosters.py", folder, library], check=True)


def _made(line: str) -> Path:
    """No version is served in it: it is kept beside the environments, until somebody removes it."""
    folder = default_folder().parent / "bench-boosters" / _name(line)
    python = folder / "bin" / "python"
    if not (folder / "whole").exists():
        uv = find_uv()
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", _PYTHON, folder], check=True)
        install: list[str | Path] = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--only-binary",
            ":all:",
            "--python",
            python,
        ]
        subprocess.run([*install, *line.split(" ")], check=True)
        (folder / "whole").touch()
    return python
