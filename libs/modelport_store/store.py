"""The one interface to shared short-lived state: limits and their buckets, cached responses, marks of
known keys and of users whose access tokens no longer count.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

KEPT_SECONDS = 30 * 86_400


def mark_of(digest: str) -> bytes:
    """The store's key for the API key with this SHA-256."""
    return b"known-key:" + digest.encode()


def tokens_ended_mark(user_id: str) -> bytes:
    """The store's key for when the user's access tokens stopped to count.

    Its value is that time as text, in seconds since 1970: tokens issued later are good.
    """
    return b"tokens-ended:" + user_id.encode()


_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket that holds `requests` and refills evenly over `period_seconds`."""

    requests: int
    period_seconds: int

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read `10/hour`. Raises ValueError that says what is accepted."""
        count, _, period = text.strip().partition("/")
        if not count.isdigit() or int(count) < 1 or period not in _PERIODS:
            raise ValueError(
                f"{text!r} is not a rate limit: write <requests>/<{'|'.join(_PERIODS)}>, e.g. 10/hour"
            )
        return cls(int(count), _PERIODS[period])

    def __str__(self) -> str:
        period = next((name for name, seconds in _PERIODS.items() if seconds == self.period_seconds), None)
        return f"{self.requests}/{period or f'{self.period_seconds}s'}"


class StoreUnavailable(Exception):
    """The store did not respond in time. Callers go on without it and count that."""


class LimitResult(NamedTuple):
    """What a token bucket decided. Times are seconds from now."""

    allowed: bool
    limit: Limit
    remaining: int
    reset_after: float
    """Until the bucket is full again."""
    retry_after: float
    """Until the next token is there; 0 if allowed."""


class Leased(NamedTuple):
    """`tokens`: how many were taken. `value` None: there is none; `seconds`: until it expires."""

    taken: LimitResult
    tokens: int
    value: bytes | None
    seconds: float


class Store(Protocol):
    async def take(self, bucket: str, limit: Limit) -> LimitResult:
        """Acquire one token of `bucket`, atomically."""
        ...

    async def give_back(self, bucket: str, limit: Limit, tokens: int = 1) -> None:
        """Undo that tokens of `bucket` were taken, for what turned out not to count."""
        ...

    async def acquire_and_get(
        self, bucket: str | None, limit: Limit | None, cache_key: bytes | None
    ) -> tuple[LimitResult | None, bytes | None]:
        """Acquire a token and look a value up in one round trip. A refused token looks nothing up."""
        ...

    async def get(self, key: bytes) -> bytes | None: ...

    async def put(self, key: bytes, value: bytes, ttl_seconds: float) -> None: ...

    def put_nowait(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        """Put and wait for nothing: what fails is counted, and forgotten."""
        ...

    async def delete(self, key: bytes) -> None: ...

    async def aclose(self) -> None: ...
