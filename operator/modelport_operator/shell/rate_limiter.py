"""How often one model may be looked at: two who write the same object would wake each other without end."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

# More keys than this: those that have their whole burst again are forgotten, with the models that are gone.
_MANY = 1000


class PerKeyRateLimiter(Generic[Key]):
    """A start with all its events fits into `burst`; after that there is a pass every 1 / `per_second`."""

    def __init__(
        self, *, burst: int = 50, per_second: float = 5.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._now = now
        # What each key has used of its burst, and when that was counted.
        self._used: dict[Key, tuple[float, float]] = {}

    def wait_before(self, key: Key) -> float:
        """Seconds until this key may have its pass; 0: now, and it is counted."""
        now = self._now()
        if len(self._used) > _MANY:
            self._used = {each: state for each, state in self._used.items() if self._left(state, now)}
        used = self._left(self._used.get(key, (0.0, now)), now)
        if used > self._burst - 1:
            return (used - (self._burst - 1)) / self._per_second
        self._used[key] = (used + 1, now)
        return 0.0

    def _left(self, state: tuple[float, float], now: float) -> float:
        used, at = state
        return max(0.0, used - (now - at) * self._per_second)
