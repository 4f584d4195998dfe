"""Waiting for facts that tell nobody when they come about."""

import time
from collections.abc import Callable
from typing import Any


def eventually(what: Callable[[], Any], *, seconds: float = 60, every: float = 0.2) -> Any:
    """Call `what` until it gives something true. Raises with what it gave last."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s; last: {answer!r}")
        time.sleep(every)
    return answer
