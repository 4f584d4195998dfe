"""Make one environment: a Python, the packages of its lock, and the runtime."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelport_environments.catalogue import Environment
from modelport_environments.errors import EnvironmentUnavailable

# What the runtime is made of. The packages around them are the platform's, of other versions.
_RUNTIME_PACKAGES = ("modelport_runtime", "modelport_formats", "modelport_http")
# A model's process may write nothing: what it imports is compiled here, once.
_WARM = "from modelport_runtime.core import backends; backends.prepare('{framework}')"
_LAST_LINES = 3
# uv gives an index up only after many tries.
_LONGEST_SECONDS = 600


def make(environment: Environment, folder: Path) -> None:
    """Make it in `folder`, which is not there yet. Blocking. Raises EnvironmentUnavailable and OSError."""
    uv = _find_uv()
    python = folder / "bin" / "python"
    _run(
        environment,
        [uv, "venv", "--quiet", "--no-project", "--python", _interpreter(environment), str(folder)],
    )
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    _run(environment, [*install, "--python", str(python), "--requirements", str(environment.lock)])
    copies = _copy_runtime(folder / "lib" / f"python{environment.python}" / "site-packages")
    _run(environment, [str(python), "-I", "-m", "compileall", "-q", *map(str, copies)])
    for framework in environment.frameworks:
        _run(environment, [str(python), "-I", "-c", _WARM.format(framework=framework)])


def _interpreter(environment: Environment) -> str:
    """The platform's own where it is of that version: uv looks on PATH, which need not have it."""
    ours = ".".join(map(str, sys.version_info[:2]))
    own = Path(sys.base_prefix) / "bin" / f"python{ours}"
    return str(own) if ours == environment.python and own.exists() else environment.python


def _find_uv() -> str:
    """The package's own before any other: its options are those that we know."""
    from uv import find_uv_bin

    try:
        return str(find_uv_bin())
    except FileNotFoundError as error:
        raise EnvironmentUnavailable(f"uv, which makes environments, is not there: {error}") from error


def _run(environment: Environment, command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command,
            env=without_ours(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentUnavailable(
            f"{environment.name} was not made within ten minutes: can the package index be reached?"
        ) from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise EnvironmentUnavailable(
            f"{environment.name} cannot be made on this machine: {' '.join(lines[-_LAST_LINES:])}"
        )


def without_ours() -> dict[str, str]:
    """Return the user's variables, who may have set an index or a proxy; none of ours: some are secret."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MODELPORT_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


def runtime_folders() -> Iterator[Path]:
    """Yield the folder of each package that the runtime is made of, which has the package's name."""
    for name in _RUNTIME_PACKAGES:
        found = importlib.util.find_spec(name)
        yield from map(Path, found.submodule_search_locations or () if found else ())


def _copy_runtime(packages: Path) -> list[Path]:
    ignored = shutil.ignore_patterns("__pycache__")
    return [shutil.copytree(source, packages / source.name, ignore=ignored) for source in runtime_folders()]
