"""Where the environments of this machine lie: one folder each, made by one process at a time."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from modelport_environments.catalogue import BESIDE_OWN, ENVIRONMENTS, Environment
from modelport_environments.locked import OWN_PREFIX, digest_of, own_name

from modelport_standalone.environments import sealing
from modelport_standalone.environments.making import install_own, make, runtime_folders

_DIGITS = 12
_UNUSED_SECONDS = 30 * 86_400
_PARTIAL = ".partial"
DEFAULT_MAX_OWN_BYTES = 5 << 30


def default_folder() -> Path:
    """Return the folder that all platforms of this user share; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "modelport" / "environments"


@dataclass(frozen=True, slots=True)
class Kept:
    """An environment on this disk. `current`: it is what the platform would make today, or a model's own that
    was used of late."""

    name: str
    folder: Path
    current: bool


@dataclass(frozen=True)
class EnvironmentStore:
    """`max_own_bytes`: that a model's own packages may have."""

    folder: Path
    max_own_bytes: int = DEFAULT_MAX_OWN_BYTES

    def python_of(self, environment: Environment) -> Path | None:
        """Return the environment's Python; None: it has to be made first."""
        python = self._folder_of(environment) / "bin" / "python"
        return python if python.exists() else None

    def prepare(self, environment: Environment) -> Path:
        """Make the environment if it is not there, and return its Python. Blocking, for seconds to minutes.

        Raises EnvironmentUnavailable and OSError.
        """
        with self._alone(environment.name):
            ready = self.python_of(environment)
            if ready is not None:
                return ready
            wanted = self._folder_of(environment)
            with _whole(wanted) as partial:
                make(environment, partial)
        return wanted / "bin" / "python"

    def packages_of(self, lock_sha256: str) -> Path | None:
        """Return the folder of a model's own packages, which is in use from now on; None: there is none."""
        packages = self._own_folder(lock_sha256)
        try:
            os.utime(packages)
        except OSError:
            return None
        return packages

    def prepare_own(self, lock: str) -> Path:
        """Install the packages of a lock, its text, if they are not there, and return their folder. Blocking.

        Raises EnvironmentUnavailable and OSError.
        """
        python, digest = self.prepare(BESIDE_OWN), digest_of(lock)
        name, wanted = own_name(digest), self._own_folder(digest)
        with self._alone(name):
            if not wanted.exists():
                with _whole(wanted) as partial:
                    install_own(name, lock, python, partial, wanted, max_bytes=self.max_own_bytes)
        return wanted

    def kept(self) -> list[Kept]:
        """Return what lies on the disk, by name."""
        current = {self._folder_of(each) for each in (*ENVIRONMENTS.values(), BESIDE_OWN)}
        folders = sorted(path for path in self.folder.glob("[!.]*-*") if path.is_dir())
        return [
            Kept(path.name.rpartition("-")[0], path, path in current or _is_used(path)) for path in folders
        ]

    def remove(self, kept: Kept) -> None:
        """Remove it from the disk; a model that needs it has it made again at its start. Raises OSError."""
        sealing.remove(kept.folder)

    def remove_partial(self) -> list[str]:
        """Remove what was left half-made by who was killed; nothing that somebody makes now. Give the names.

        Raises OSError.
        """
        removed = []
        for partial in self.folder.glob(f".*{_PARTIAL}"):
            name = partial.name.removeprefix(".").removesuffix(_PARTIAL).rpartition("-")[0]
            with suppress(BlockingIOError), self._alone(name, waits=False):
                sealing.remove(partial)
                removed.append(name)
        return removed

    def _folder_of(self, environment: Environment) -> Path:
        return self.folder / f"{environment.name}-{_digest(environment)}"

    def _own_folder(self, lock_sha256: str) -> Path:
        """No release of ours makes another: nothing of it is in there."""
        return self.folder / f"{own_name(lock_sha256)}-{lock_sha256[_DIGITS : 2 * _DIGITS]}"

    @contextmanager
    def _alone(self, name: str, *, waits: bool = True) -> Iterator[None]:
        """The kernel lets go of the lock when its holder has died, and what that had started to make it.

        Raises BlockingIOError unless it `waits`.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / f".{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
            os.set_inheritable(lock.fileno(), True)
            yield


@contextmanager
def _whole(wanted: Path) -> Iterator[Path]:
    """Give a path to make it at, which becomes `wanted` unless that raises."""
    partial = wanted.with_name(f".{wanted.name}{_PARTIAL}")
    sealing.remove(partial)
    try:
        yield partial
        sealing.seal(partial)
        partial.rename(wanted)
    finally:
        sealing.remove(partial)


def _is_used(folder: Path) -> bool:
    """Of a model's own packages: a model began with them in the last month."""
    return folder.name.startswith(OWN_PREFIX) and time.time() - folder.stat().st_mtime < _UNUSED_SECONDS


def _digest(environment: Environment) -> str:
    """Of the lock and of our own packages, so that a new release makes new ones."""
    return hashlib.sha256(f"{environment.digest()} {_own_digest()}".encode()).hexdigest()[:_DIGITS]


@cache
def _own_digest() -> str:
    digest = hashlib.sha256()
    for folder in runtime_folders():
        for path in sorted(folder.rglob("*.py")):
            digest.update(f"{path.relative_to(folder.parent)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
