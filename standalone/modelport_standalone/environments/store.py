"""Where the environments of this machine lie: one folder each, made by one process at a time."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from modelport_environments.catalogue import ENVIRONMENTS, Environment

from modelport_standalone.environments.making import make, runtime_folders

_DIGITS = 12


def default_folder() -> Path:
    """Return the folder that all platforms of this user share; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "modelport" / "environments"


@dataclass(frozen=True, slots=True)
class Kept:
    """An environment on this disk. `current`: it is what the platform would make today."""

    name: str
    folder: Path
    current: bool


@dataclass(frozen=True)
class EnvironmentStore:
    folder: Path

    def python_of(self, environment: Environment) -> Path | None:
        """Return the environment's Python; None: it has to be made first."""
        python = self._folder_of(environment) / "bin" / "python"
        return python if python.exists() else None

    def prepare(self, environment: Environment) -> Path:
        """Make the environment if it is not there, and return its Python. Blocking, for seconds to minutes.

        Raises EnvironmentUnavailable and OSError.
        """
        with self._alone(environment):
            ready = self.python_of(environment)
            if ready is not None:
                return ready
            wanted = self._folder_of(environment)
            partial = wanted.with_name(f".{wanted.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            try:
                make(environment, partial)
                partial.rename(wanted)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        return wanted / "bin" / "python"

    def kept(self) -> list[Kept]:
        """Return what lies on the disk, by name."""
        current = {self._folder_of(each) for each in ENVIRONMENTS.values()}
        folders = sorted(path for path in self.folder.glob("[!.]*-*") if path.is_dir())
        return [Kept(path.name.rpartition("-")[0], path, path in current) for path in folders]

    def remove(self, kept: Kept) -> None:
        """Remove it from the disk; a model that needs it has it made again at its start. Raises OSError."""
        shutil.rmtree(kept.folder)

    def _folder_of(self, environment: Environment) -> Path:
        return self.folder / f"{environment.name}-{_digest(environment)}"

    @contextmanager
    def _alone(self, environment: Environment) -> Iterator[None]:
        """The kernel lets go of the lock when its holder dies."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / f".{environment.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


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
