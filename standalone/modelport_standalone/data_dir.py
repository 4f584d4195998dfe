"""The folder that holds all of a platform: one platform at a time, its files readable by its owner only."""

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from modelport_process.start import CannotStart


def read(path: Path) -> dict[str, str]:
    """Empty if there is none. Raises `CannotStart` for one that is damaged; it is left as it is."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise damaged(path) from error
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise damaged(path)
    return content


def write(path: Path, content: dict[str, str]) -> None:
    """One writer at a time: what a killed one left half-written is overwritten by the next."""
    partial = path.with_name(f".{path.name}.partial")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(partial, flags, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def damaged(path: Path) -> CannotStart:
    """Return the `CannotStart` for a damaged file; the file itself stays as it is."""
    return CannotStart(f"{path} is damaged: restore it, or move it away to have a new one made.")


DATABASE_VARIABLE = "MODELPORT_CONTROL_API_DATABASE_URL"


@dataclass(frozen=True)
class DataDir:
    root: Path

    @property
    def database(self) -> Path:
        return self.root / "modelport.db"

    @property
    def database_url(self) -> str:
        """Of the database that the environment names; of the folder's own SQLite file if it names none."""
        return os.environ.get(DATABASE_VARIABLE) or f"sqlite:///{self.database}"

    @property
    def signing_keys(self) -> Path:
        return self.root / "signing-keys"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def artifact_url(self) -> str:
        """The address of a stored file, with the placeholders that the operator fills in."""
        return f"file://{quote(str(self.artifacts))}/sha256/{{prefix}}/{{sha256}}"

    @property
    def cluster(self) -> Path:
        return self.root / "cluster"

    @property
    def log(self) -> Path:
        return self.root / "logs" / "platform.log"

    @property
    def admin(self) -> Path:
        return self.root / "admin.json"

    @property
    def keys(self) -> Path:
        return self.root / "keys.json"


@contextmanager
def claim(root: Path) -> Iterator[DataDir]:
    """Make the folder if need be and keep every other platform out of it. Raises `CannotStart`."""
    root = root.expanduser().absolute()
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
        _take_from_others(root)
        lock = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotStart(
            f"The data folder {root} cannot be used ({reason}): choose another with --data-dir."
        ) from error
    try:
        _lock(lock, root)
        yield DataDir(root)
    finally:
        # Closing lets go of the lock; so does the kernel, however the process ends.
        os.close(lock)


def _take_from_others(root: Path) -> None:
    """Databases of earlier releases could be read by everybody once they were copied out of the folder."""
    for database in (root / "modelport.db", root / "cluster" / "cluster.db"):
        for path in database.parent.glob(f"{database.name}*"):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o700)


def _lock(lock: int, root: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CannotStart(
            f"Another platform runs on {root}: stop it, or choose another folder with --data-dir."
        ) from error
    except OSError as error:
        raise CannotStart(f"The data folder {root} cannot be locked ({error.strerror}).") from error
