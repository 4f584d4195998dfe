"""How long to wait after a failure: longer each time, never the same for two."""

import random
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

# 2**20 is far past any limit; an endless power would overflow after a day of failures.
_MAX_EXPONENT = 20


class Backoff:
    """The failures in a row of one thing. Times are seconds.

    A delay lies between half of the current limit and all of it: what failed together does not come back
    together.
    """

    def __init__(self, first: float, longest: float, *, factor: float = 2.0) -> None:
        self.failures = 0
        self._first = first
        self._longest = longest
        self._factor = factor

    def next_delay(self) -> float:
        """Count a failure; return how long to wait after it."""
        limit = min(self._longest, self._first * self._factor ** min(self.failures, _MAX_EXPONENT))
        self.failures += 1
        return limit * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """It succeeded: the next failure waits the shortest time again."""
        self.failures = 0


class KeyedBackoff(Generic[Key]):
    """A `Backoff` for each key that fails; it holds nothing of keys that succeed."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._failing: dict[Key, Backoff] = {}

    def next_delay(self, key: Key) -> float:
        backoff = self._failing.setdefault(key, Backoff(self._first, self._longest))
        return backoff.next_delay()

    def failures(self, key: Key) -> int:
        """Return how often the key has failed in a row."""
        return self._failing[key].failures if key in self._failing else 0

    def succeeded(self, key: Key) -> None:
        self._failing.pop(key, None)
