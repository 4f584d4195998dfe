"""Install the packages of a lock without running any of their code."""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from modelport_environments.errors import EnvironmentRefused, EnvironmentUnavailable
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
_LAST_LINES = 8
# How uv ends where there is nothing that meets what is asked for, or where a hash differs; 2: it did not get
# that far, the index being away or broken.
_REFUSED = 1
# uv takes an index that wants a password as one without the package.
_CLOSED = ("(401 Unauthorized)", "403 Forbidden")
# uv gives an index up only after many tries.
_LONGEST_SECONDS = 600
_WATCH_SECONDS = 1.0

Watch = Callable[[], None]
"""Is called while packages are installed, and afterwards: it raises where that must not go on."""


def install_own(
    name: str, lock: str, python: Path, folder: Path, place: Path, *, watch: Watch | None = None
) -> None:
    """Install a model's own packages in `folder`, which is moved to `place` after that. No code of them runs.

    `lock`: its text. `python`: that of `BESIDE_OWN`, which never imports them here.
    Blocking. Raises EnvironmentUnavailable, or of it EnvironmentRefused, InvalidLock, OSError, and what
    `watch` raises.
    """
    install = [find_uv(), *INSTALL, "--python", str(python), "--target", str(folder)]
    # What was read of the lock and nothing else: no line of it is an option of uv's.
    run_step(name, [*install, "--requirements", "-"], write_lock(read_lock(lock)), watch)
    _compile(python, folder, place)
    if watch is not None:
        watch()


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
        close_fds=False,
    )


def run_step(name: str, command: Sequence[str], stdin: str = "", watch: Watch | None = None) -> None:
    """Run one step of making the environment of this name. Blocking.

    Raises EnvironmentUnavailable or EnvironmentRefused, in the command's own words, and what `watch` raises,
    which ends the step.
    """
    process = subprocess.Popen(
        command,
        env=without_ours(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # It inherits the lock of the environment that it makes: who is killed leaves nobody who makes one
        # beside the next one.
        close_fds=False,
    )
    try:
        _, said = _communicate(process, stdin, watch)
    except subprocess.TimeoutExpired as error:
        raise EnvironmentUnavailable(
            f"{name} was not made within ten minutes: can the package index be reached?"
        ) from error
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        words = last_words(said, _LAST_LINES)
        is_final = process.returncode == _REFUSED and not any(each in words for each in _CLOSED)
        kind = EnvironmentRefused if is_final else EnvironmentUnavailable
        raise kind(f"{name} cannot be made here: {words}")


def _communicate(process: subprocess.Popen[str], stdin: str, watch: Watch | None) -> tuple[str, str]:
    """Return what it wrote. Raises TimeoutExpired, and what `watch` raises."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    given: str | None = stdin
    while True:
        left = deadline - time.monotonic()
        try:
            return process.communicate(given, timeout=min(left, _WATCH_SECONDS) if watch else left)
        except subprocess.TimeoutExpired:
            if watch is None or left <= _WATCH_SECONDS:
                raise
            watch()
            # What is not written yet is kept.
            given = None
