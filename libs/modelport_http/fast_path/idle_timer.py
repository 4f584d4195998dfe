"""When a connection has been idle for too long, with one timer for many requests.

uvicorn sets and cancels one for each request, which costs two microseconds of the twenty that one may take.
"""

import asyncio
from collections.abc import Callable


class IdleTimer:
    """Calls `too_long` once `seconds` have passed since the last `start` without a `stop`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, too_long: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._too_long = too_long
        self._idle_since: float | None = None
        self._check_at: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._idle_since = self._loop.time()
        if self._check_at is None:
            self._check_at = self._loop.call_later(self._seconds, self._check)

    def stop(self) -> None:
        self._idle_since = None

    def close(self) -> None:
        """Never call again."""
        if self._check_at is not None:
            self._check_at.cancel()

    def _check(self) -> None:
        self._check_at = None
        if self._idle_since is None:
            return
        left = self._idle_since + self._seconds - self._loop.time()
        if left > 0:
            self._check_at = self._loop.call_later(left, self._check)
        else:
            self._too_long()
