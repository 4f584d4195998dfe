"""When a call is tried again, and after how long."""

import email.utils
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

RETRIED_STATUSES = frozenset({429, 503})
"""Nothing was done yet, and later may be better. Not 504: the model was too slow and would be so again."""

_NOT_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_CUT_OFF = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
CONNECTION_ERRORS = (*_NOT_REACHED, *_CUT_OFF)
"""Not a read timeout: whoever was slow once gets no second copy of the work."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often (first try included) and for how long in all, in seconds, a call is tried."""

    attempts: int = 4
    total_seconds: float = 30
    first_pause_seconds: float = 0.25
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    random: Callable[[], float] = field(default=random.random, repr=False)

    def run(self, send: Callable[[], httpx.Response], *, after_connection_errors: bool) -> httpx.Response:
        """Send until an answer stands. The last one is given back, or the last error raised."""
        give_up_at = self.clock() + self.total_seconds
        for attempt in range(1, self.attempts):
            asked_for = None
            try:
                response = send()
            except CONNECTION_ERRORS:
                if not after_connection_errors or not self._pause(attempt, asked_for, give_up_at):
                    raise
                continue
            asked_for = retry_after(response)
            if response.status_code not in RETRIED_STATUSES or not self._pause(
                attempt, asked_for, give_up_at
            ):
                return response
        return send()

    def _pause(self, attempt: int, asked_for: float | None, give_up_at: float) -> bool:
        """Wait before the next try. False, without waiting, when it would come too late."""
        if asked_for is None:
            # Between half and whole: clients that failed together do not come back together.
            seconds = self.first_pause_seconds * 2 ** (attempt - 1) * (0.5 + self.random() / 2)
        else:
            seconds = asked_for + self.random() * self.first_pause_seconds
        if self.clock() + seconds > give_up_at:
            return False
        self.sleep(seconds)
        return True


def retry_after(response: httpx.Response) -> float | None:
    """Seconds from now, of either form of the header; None without one, or with one that is neither."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
