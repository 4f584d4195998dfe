"""Where things lie outside the checkout: what may be kept (cache), and what `down` removes (state)."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache() -> Path:
    return _base("XDG_CACHE_HOME", ".cache") / "modelport"


def state() -> Path:
    return _base("XDG_STATE_HOME", ".local/state") / "modelport-cluster"


@contextmanager
def alone_with(name: str) -> Iterator[None]:
    """Wait for other test processes that do the same; `name`: of the lock, in the cache."""
    lock = cache() / f"{name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _base(variable: str, default: str) -> Path:
    given = os.environ.get(variable)
    return Path(given) if given else Path.home() / default
