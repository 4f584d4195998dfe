"""When and how often a request is sent again, and errors as exceptions."""

import email.utils
import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from modelport.errors import raise_unless_done
from modelport.steps import Flow, Pause, Reply, Request
from modelport.transport.connection import CONNECTION_ERRORS, explained

RETRIED_STATUSES = frozenset({429, 503})
"""Nothing was done yet, and later may be better. Not 504: the model was too slow and would be so again."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often (first try included) and for how long in all, in seconds, a call is tried.

    `sleep` is what `Modelport` waits with; `AsyncModelport` waits on its event loop.
    """

    attempts: int = 4
    total_seconds: float = 30
    first_pause_seconds: float = 0.25
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False)
    random: Callable[[], float] = field(default=random.random, repr=False)


def _responses(request: Request, policy: RetryPolicy) -> Generator[Request | Pause, Any, httpx.Response]:
    """Send until a response stands. The last one is returned, or the last error raised."""
    give_up_at = policy.clock() + policy.total_seconds
    for attempt in range(1, policy.attempts):
        try:
            response: httpx.Response = yield request
        except CONNECTION_ERRORS:
            pause = _pause(policy, attempt, None, give_up_at)
            if not request.repeatable or pause is None:
                raise
        else:
            if response.status_code not in RETRIED_STATUSES:
                return response
            pause = _pause(policy, attempt, retry_after(response), give_up_at)
            if pause is None:
                return response
        yield pause
    last: httpx.Response = yield request
    return last


def _pause(policy: RetryPolicy, attempt: int, requested: float | None, give_up_at: float) -> Pause | None:
    """Before the next try; None when that would come too late."""
    if requested is None:
        # Between half and whole: clients that failed together do not come back together.
        seconds = policy.first_pause_seconds * 2 ** (attempt - 1) * (0.5 + policy.random() / 2)
    else:
        seconds = requested + policy.random() * policy.first_pause_seconds
    return None if policy.clock() + seconds > give_up_at else Pause(seconds)


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


def exchange(request: Request, retries: RetryPolicy, url: str) -> Flow[Reply]:
    """Send with retries. Raises ModelportError for all but a success."""
    with explained(request.method, url, request.path):
        response = yield from _responses(request, retries)
        raise_unless_done(response)
    return Reply(response, url)
