"""The one interface to shared short-lived state: token buckets, cached answers, remembered introspections.

Two implementations, held to one contract suite: `memory_store` and `redis_store`.
"""

from typing import NamedTuple, Protocol

from modelport_store.limits import Limit


class StoreUnavailable(Exception):
    """The store did not answer in time. Callers go on without it and count that."""


class LimitResult(NamedTuple):
    """What a token bucket said. Times are seconds from now."""

    allowed: bool
    limit: Limit
    remaining: int
    reset_after: float
    """Until the bucket is full again."""
    retry_after: float
    """Until the next token is there; 0 if allowed."""


class Store(Protocol):
    async def take(self, bucket: str, limit: Limit) -> LimitResult:
        """Take one token of `bucket`, atomically."""
        ...

    async def give_back(self, bucket: str, limit: Limit) -> None:
        """Undo one take of `bucket`, for what turned out not to count."""
        ...

    async def acquire_and_get(
        self, bucket: str | None, limit: Limit | None, cache_key: bytes | None
    ) -> tuple[LimitResult | None, bytes | None]:
        """Take a token and look a value up in one round trip. A refused token looks nothing up."""
        ...

    async def get(self, key: bytes) -> bytes | None: ...

    async def put(self, key: bytes, value: bytes, ttl_seconds: float) -> None: ...

    def put_nowait(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        """Put and wait for nothing: what fails is counted, and forgotten."""
        ...

    async def delete(self, key: bytes) -> None: ...

    async def aclose(self) -> None: ...
