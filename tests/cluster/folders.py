"""Where things lie outside the checkout: what may be kept (cache), and what `down` removes (state)."""

import os
from pathlib import Path


def cache() -> Path:
    return _base("XDG_CACHE_HOME", ".cache") / "modelport"


def state() -> Path:
    return _base("XDG_STATE_HOME", ".local/state") / "modelport-cluster"


def _base(variable: str, default: str) -> Path:
    given = os.environ.get(variable)
    return Path(given) if given else Path.home() / default
