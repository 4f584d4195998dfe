"""Install the packages of a lock without running any of their code."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from modelport_environments.errors import EnvironmentUnavailable
from modelport_environments.locked import read_lock, write_lock
from modelport_environments.uv import find_uv, last_words, without_ours

INSTALL = ("pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes")
# Half of what scientific packages install.
_NOT_IMPORTED = "/tests?/"
# A source that is made for it takes as much memory as there is.
_COMPILE = (
    "import resource, runpy; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); "
    "runpy.run_module('compileall', run_name='__main__')"
)
_LAST_LINES = 6
# uv gives an index up only after many tries.
_LONGEST_SECONDS = 600


def install_own(name: str, lock: str, python: Path, folder: Path, place: Path) -> None:
    """Install a model's own packages in `folder`, which is moved to `place` after that. No code of them runs.

    `lock`: its text. `python`: that of `BESIDE_OWN`, which never imports them here.
    Blocking. Raises EnvironmentUnavailable, InvalidLock and OSError.
    """
    with NamedTemporaryFile("w", suffix=".txt") as listed:
        # What was read of the lock and nothing else: no line of it is an option of uv's.
        listed.write(write_lock(read_lock(lock)))
        listed.flush()
        install = [find_uv(), *INSTALL, "--python", str(python), "--target", str(folder)]
        run_step(name, [*install, "--requirements", listed.name])
    _compile(python, folder, place)


def _compile(python: Path, folder: Path, place: Path) -> None:
    """Compile every module; that runs none. It is no error that it fails for some, such as templates."""
    # By hash, unchecked: a bundle has no times of files, and what is compiled is the same at each time.
    named = ["--invalidation-mode", "unchecked-hash", "-x", _NOT_IMPORTED]
    named += ["-s", str(folder), "-p", str(place), str(folder)]
    subprocess.run(
        [str(python), "-I", "-c", _COMPILE, "-qq", *named],
        env=without_ours(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_LONGEST_SECONDS,
        check=False,
    )


def run_step(name: str, command: Sequence[str]) -> None:
    """Run one step of making the environment of this name. Blocking.

    Raises EnvironmentUnavailable, in the command's own words.
    """
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
        raise EnvironmentUnavailable(f"{name} cannot be made here: {words}")
