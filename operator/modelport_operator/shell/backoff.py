"""How long to wait after a failure: twice as long each time, never the same for two."""

import random
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Backoff(Generic[Key]):
    """Times are seconds."""

    def __init__(self, first: float = 0.05, longest: float = 30.0) -> None:
        self._first = first
        self._longest = longest
        self._failures: dict[Key, int] = {}

    def next_delay(self, key: Key) -> float:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # 2**20 is far past any limit; an endless power would overflow after a day of failures.
        delay = min(self._longest, self._first * float(1 << min(failures, 20)))
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    def succeeded(self, key: Key) -> None:
        self._failures.pop(key, None)
