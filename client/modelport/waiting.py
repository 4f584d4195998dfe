"""Until a model or a version is ready, or failed."""

import time
from collections.abc import Callable
from typing import TypeVar

from modelport.errors import ModelFailed, NotReadyInTime
from modelport.models import Model, Version

# The platform holds a request for at most a minute; shorter, so that proxies do not cut it.
_HOLD_SECONDS = 20

Waited = TypeVar("Waited", Model, Version)


def wait_until_ready(
    fetch: Callable[[float], Waited], seconds: float, on_status: Callable[[Waited], None] | None
) -> Waited:
    """`fetch(hold)` gives the present state, after at most `hold` seconds if nothing changes."""
    give_up_at = time.monotonic() + seconds
    hold = 0.0  # The first answer comes at once, for callers that show progress.
    while True:
        asked_at = time.monotonic()
        found = fetch(hold)
        if on_status is not None:
            on_status(found)
        if found.status == "failed":
            raise ModelFailed(found)
        if not _is_in_progress(found):
            return found
        left = give_up_at - time.monotonic()
        if left <= 0:
            raise NotReadyInTime(f"{found.name} is not ready after {seconds:.0f} s: {found.message}")
        _pause_unless_held(hold, asked_at)
        hold = min(_HOLD_SECONDS, left)


def _is_in_progress(found: Model | Version) -> bool:
    """A new version that answers its first questions is `degraded` for that moment."""
    return found.status == "pending" or (found.status == "degraded" and found.reason == "Progressing")


def _pause_unless_held(hold: float, asked_at: float) -> None:
    """A platform that answers `pending` at once, whatever was asked, is not asked in a busy loop."""
    if hold and time.monotonic() - asked_at < 0.5:
        time.sleep(0.5)
