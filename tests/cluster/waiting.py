"""Waiting for things to become true, without a fixed sleep."""

import time
import urllib.request
from collections.abc import Callable


def wait_until(true: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True


def answers(url: str) -> bool:
    """With success, now."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
