"""Make one environment: a Python, the packages of its lock, and the runtime."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from modelport_environments.catalogue import Environment
from modelport_environments.errors import EnvironmentUnavailable
from modelport_environments.locked import read_lock, write_lock
from modelport_environments.uv import find_uv, last_words, without_ours

# What the runtime is made of. The packages around them are the platform's, of other versions.
_RUNTIME_PACKAGES = ("modelport_runtime", "modelport_formats", "modelport_http")
# A model's process may write nothing: what it imports is compiled here, once.
_WARM = "from modelport_runtime.core import backends; backends.prepare('{framework}')"
_INSTALL = ("pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes")
# Half of what scientific packages install.
_NOT_IMPORTED = "/tests?/"
# A source that is made for it takes as much memory as there is.
_COMPILE = (
    "import resource, runpy; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); "
    "runpy.run_module('compileall', run_name='__main__')"
)
_LAST_LINES = 6
_LEAST_FREE_BYTES = 1 << 30
# uv gives an index up only after many tries.
_LONGEST_SECONDS = 600


def make(environment: Environment, folder: Path) -> None:
    """Make it in `folder`, which is not there yet. Blocking. Raises EnvironmentUnavailable and OSError."""
    uv = find_uv()
    python = folder / "bin" / "python"
    _run(
        environment.name,
        [uv, "venv", "--quiet", "--no-project", "--python", _interpreter(environment), str(folder)],
    )
    install = [uv, *_INSTALL, "--python", str(python), "--requirements", str(environment.lock)]
    _run(environment.name, install)
    copies = _copy_runtime(folder / "lib" / f"python{environment.python}" / "site-packages")
    _run(environment.name, [str(python), "-I", "-m", "compileall", "-q", *map(str, copies)])
    for framework in environment.frameworks:
        _run(environment.name, [str(python), "-I", "-c", _WARM.format(framework=framework)])


def install_own(name: str, lock: str, python: Path, folder: Path, place: Path) -> None:
    """Install a model's own packages in `folder`, which is moved to `place` after that. No code of them runs.

    `lock`: its text. `python`: that of `BESIDE_OWN`, which never imports them here.
    Blocking. Raises EnvironmentUnavailable, InvalidLock and OSError.
    """
    _require_room(name, folder.parent)
    with NamedTemporaryFile("w", suffix=".txt") as listed:
        # What was read of the lock and nothing else: no line of it is an option of uv's.
        listed.write(write_lock(read_lock(lock)))
        listed.flush()
        install = [find_uv(), *_INSTALL, "--python", str(python), "--target", str(folder)]
        _run(name, [*install, "--requirements", listed.name])
    _compile(python, folder, place)


def _require_room(name: str, folder: Path) -> None:
    if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
        raise EnvironmentUnavailable(
            f"{name} is not made: {folder} has less than {_LEAST_FREE_BYTES >> 30} GiB free. "
            "`modelport environments prune` removes what no model has needed for a month."
        )


def _compile(python: Path, folder: Path, place: Path) -> None:
    """Compile every module; that runs none. It is no error that it fails for some, such as templates."""
    named = ["-x", _NOT_IMPORTED, "-s", str(folder), "-p", str(place), str(folder)]
    subprocess.run(
        [str(python), "-I", "-c", _COMPILE, "-qq", *named],
        env=without_ours(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_LONGEST_SECONDS,
        check=False,
    )


def _interpreter(environment: Environment) -> str:
    """The platform's own where it is of that version: uv looks on PATH, which need not have it."""
    ours = ".".join(map(str, sys.version_info[:2]))
    own = Path(sys.base_prefix) / "bin" / f"python{ours}"
    return str(own) if ours == environment.python and own.exists() else environment.python


def _run(name: str, command: Sequence[str]) -> None:
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
            f"{name} was not made within ten minutes: can the package index be reached?"
        ) from error
    if done.returncode:
        words = last_words(done.stderr, _LAST_LINES)
        raise EnvironmentUnavailable(f"{name} cannot be made on this machine: {words}")


def runtime_folders() -> Iterator[Path]:
    """Yield the folder of each package that the runtime is made of, which has the package's name."""
    for name in _RUNTIME_PACKAGES:
        found = importlib.util.find_spec(name)
        yield from map(Path, found.submodule_search_locations or () if found else ())


def _copy_runtime(packages: Path) -> list[Path]:
    ignored = shutil.ignore_patterns("__pycache__")
    return [shutil.copytree(source, packages / source.name, ignore=ignored) for source in runtime_folders()]
