"""The Job that makes the bundle of a lock: fetch it, install its packages, pack them, hand the archive in.

`python -I -m modelport_environments.bundling`, with what docs/contracts.md lists in the environment. No code
of the packages runs. The last line of stderr is shown to users.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from modelport_environments import packing
from modelport_environments.errors import EnvironmentRefused, EnvironmentUnavailable, InvalidLock
from modelport_environments.installing import install_own
from modelport_environments.locked import MAX_LOCK_BYTES, own_name

_PREFIX = "MODELPORT_BUNDLE_"
_SECONDS = 60
"""Of silence on the network."""
_STORING_SECONDS = 600
"""Of the same while the control API puts gigabytes into a bucket."""
_GIB = 1 << 30
REFUSED = 1
"""Exit code: the same lock would be refused again. That of a crash too, whose traceback is the last word."""
LATER = 2
"""Exit code: somebody did not respond, or the disk is full. Another try may do better."""


@dataclass(frozen=True, slots=True)
class Task:
    """`to`: where the bundle is handed in, which `token` opens. `python`: the one that it is for, and `place`
    where that finds it. `max_bytes`: of the packages unpacked."""

    lock_uri: str
    lock_sha256: str
    to: str
    token: str
    max_bytes: int
    python: Path
    place: Path

    @property
    def name(self) -> str:
        return own_name(self.lock_sha256)


def main() -> int:
    """Return the exit code: without a bundle `REFUSED` or `LATER`, and why in the last line of stderr."""
    try:
        make(read_task(os.environ))
    except (EnvironmentRefused, InvalidLock) as error:
        print(error, file=sys.stderr)
        return REFUSED
    except EnvironmentUnavailable as error:
        print(error, file=sys.stderr)
        return LATER
    except OSError as error:
        print(f"The bundle cannot be written: {error.strerror}.", file=sys.stderr)
        return LATER
    return 0


def read_task(environment: Mapping[str, str]) -> Task:
    """Return what the operator asks for. Raises EnvironmentRefused for what is not set."""
    names = ("LOCK_URI", "LOCK_SHA256", "TO", "TOKEN", "MAX_BYTES", "PYTHON", "PLACE")
    given = {name: environment.get(f"{_PREFIX}{name}", "") for name in names}
    missing = [name for name, text in given.items() if not text]
    if missing:
        raise EnvironmentRefused(f"{_PREFIX}{missing[0]} is not set; the operator and the image set it.")
    return Task(
        given["LOCK_URI"],
        given["LOCK_SHA256"],
        given["TO"],
        given["TOKEN"],
        int(given["MAX_BYTES"]),
        Path(given["PYTHON"]),
        Path(given["PLACE"]),
    )


def make(task: Task) -> None:
    """Make the bundle and hand it in. Blocking.

    Raises EnvironmentUnavailable, EnvironmentRefused, InvalidLock and OSError.
    """
    lock = _fetch_lock(task)
    with TemporaryDirectory(prefix="bundle-") as scratch:
        folder = Path(scratch, "packages")
        install_own(task.name, lock, task.python, folder, task.place)
        _require_size(task, packing.size(folder))
        _hand_in(task, packing.pieces(folder))


def _fetch_lock(task: Task) -> str:
    try:
        with urlopen(Request(task.lock_uri), timeout=_SECONDS) as response:  # noqa: S310 - the operator's
            content: bytes = response.read(MAX_LOCK_BYTES + 1)
    except (OSError, HTTPException) as error:
        raise EnvironmentUnavailable(f"The lock of {task.name} cannot be fetched: {_why(error)}.") from error
    if hashlib.sha256(content).hexdigest() != task.lock_sha256:
        raise EnvironmentRefused(f"The lock of {task.name} is another one than was asked for.")
    return content.decode()


def _require_size(task: Task, found: int) -> None:
    if found > task.max_bytes:
        raise EnvironmentRefused(
            f"{task.name} has {found / _GIB:.1f} GiB of packages, and this platform takes "
            f"{task.max_bytes / _GIB:.1f} GiB at most: require fewer, or smaller ones."
        )


def _hand_in(task: Task, pieces: Iterator[bytes]) -> None:
    headers = {"Authorization": f"Bearer {task.token}", "Content-Type": "application/x-tar"}
    request = Request(task.to, data=pieces, headers=headers, method="PUT")  # noqa: S310 - the operator's
    try:
        with urlopen(request, timeout=_STORING_SECONDS):  # noqa: S310 - see above
            return
    except (OSError, HTTPException) as error:
        raise EnvironmentUnavailable(f"{task.name} is made but cannot be stored: {_why(error)}.") from error


def _why(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"the control API answered {error.code}"
    return str(getattr(error, "reason", error))


if __name__ == "__main__":
    sys.exit(main())
