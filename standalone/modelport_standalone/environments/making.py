"""Make one environment: a Python, the packages of its lock, and the runtime."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from modelport_environments import installing
from modelport_environments.catalogue import Environment
from modelport_environments.errors import EnvironmentUnavailable
from modelport_environments.installing import INSTALL, run_step
from modelport_environments.uv import find_uv

# What the runtime is made of. The packages around them are the platform's, of other versions.
_RUNTIME_PACKAGES = ("modelport_runtime", "modelport_formats", "modelport_http")
# A model's process may write nothing: what it imports is compiled here, once.
_WARM = "from modelport_runtime.core import backends; backends.prepare('{framework}')"
_LEAST_FREE_BYTES = 1 << 30
_GIB = 1 << 30


def make(environment: Environment, folder: Path) -> None:
    """Make it in `folder`, which is not there yet. Blocking. Raises EnvironmentUnavailable and OSError."""
    uv = find_uv()
    python = folder / "bin" / "python"
    run_step(
        environment.name,
        [uv, "venv", "--quiet", "--no-project", "--python", _interpreter(environment), str(folder)],
    )
    install = [uv, *INSTALL, "--python", str(python), "--requirements", str(environment.lock)]
    run_step(environment.name, install)
    copies = _copy_runtime(folder / "lib" / f"python{environment.python}" / "site-packages")
    run_step(environment.name, [str(python), "-I", "-m", "compileall", "-q", *map(str, copies)])
    for framework in environment.frameworks:
        run_step(environment.name, [str(python), "-I", "-c", _WARM.format(framework=framework)])


def install_own(name: str, lock: str, python: Path, folder: Path, place: Path, *, max_bytes: int) -> None:
    """As `installing.install_own`, where the disk has room for it, and of `max_bytes` at most."""

    def watch() -> None:
        _require_room(name, folder.parent)
        _require_size(name, folder, max_bytes)

    watch()
    installing.install_own(name, lock, python, folder, place, watch=watch)


def _require_size(name: str, folder: Path, max_bytes: int) -> None:
    found = size_of(folder)
    if found > max_bytes:
        raise EnvironmentUnavailable(
            f"{name} is not made: its packages have more than {max_bytes / _GIB:.2f} GiB, the most for one "
            "version (MODELPORT_OPERATOR_BUNDLE_MAX_BYTES). Require fewer, or smaller ones."
        )


def size_of(folder: Path) -> int:
    """Return the bytes of the files below, most of which are shared with uv's cache."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            # What is installed now may be moved now.
            with suppress(FileNotFoundError):
                size += os.lstat(os.path.join(parent, name)).st_size
    return size


def _require_room(name: str, folder: Path) -> None:
    if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
        raise EnvironmentUnavailable(
            f"{name} is not made: {folder} has less than {_LEAST_FREE_BYTES >> 30} GiB free. "
            "`modelport environments prune` removes what no model has needed for a month."
        )


def _interpreter(environment: Environment) -> str:
    """The platform's own where it is of that version: uv looks on PATH, which need not have it."""
    ours = ".".join(map(str, sys.version_info[:2]))
    own = Path(sys.base_prefix) / "bin" / f"python{ours}"
    return str(own) if ours == environment.python and own.exists() else environment.python


def runtime_folders() -> Iterator[Path]:
    """Yield the folder of each package that the runtime is made of, which has the package's name."""
    for name in _RUNTIME_PACKAGES:
        found = importlib.util.find_spec(name)
        yield from map(Path, found.submodule_search_locations or () if found else ())


def _copy_runtime(packages: Path) -> list[Path]:
    ignored = shutil.ignore_patterns("__pycache__")
    return [shutil.copytree(source, packages / source.name, ignore=ignored) for source in runtime_folders()]
