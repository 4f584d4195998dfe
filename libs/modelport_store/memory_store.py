"""The store in this process's memory: the embedded default, and what is used while Redis is away.

Everything is bounded: a flood of callers or of different inputs makes it forget the oldest, never grow.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from modelport_store.store import Limit, LimitResult
from modelport_store.token_bucket import MICROSECONDS, interval_of, take

# What an entry costs beside its key and value: two dictionary slots, a tuple, two byte strings' heads.
_ENTRY_OVERHEAD_BYTES = 250


class MemoryStore:
    """Lost entries are the least recently used. `clock`: seconds that never go back."""

    def __init__(
        self,
        *,
        max_bytes: int = 64 * 1024 * 1024,
        max_values: int = 100_000,
        max_buckets: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_values = max_values
        self._max_buckets = max_buckets
        self._clock = clock
        self._values: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0
        self._buckets: OrderedDict[str, int] = OrderedDict()

    async def take(self, bucket: str, limit: Limit) -> LimitResult:
        return self._take(bucket, limit)

    async def give_back(self, bucket: str, limit: Limit, tokens: int = 1) -> None:
        if bucket in self._buckets:
            self._buckets[bucket] -= tokens * interval_of(limit)

    async def acquire_and_get(
        self, bucket: str | None, limit: Limit | None, cache_key: bytes | None
    ) -> tuple[LimitResult | None, bytes | None]:
        taken = self._take(bucket, limit) if bucket is not None and limit is not None else None
        refused = taken is not None and not taken.allowed
        return taken, None if refused or cache_key is None else self.find(cache_key)

    async def get(self, key: bytes) -> bytes | None:
        return self.find(key)

    async def put(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        self.put_nowait(key, value, ttl_seconds)

    def put_nowait(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        self.forget(key)
        size = _size(key, value)
        if ttl_seconds <= 0 or size > self._max_bytes:
            return
        self._values[key] = (value, self._clock() + ttl_seconds)
        self._bytes += size
        while self._bytes > self._max_bytes or len(self._values) > self._max_values:
            self.forget(next(iter(self._values)))

    async def delete(self, key: bytes) -> None:
        self.forget(key)

    async def aclose(self) -> None:
        self._values.clear()
        self._buckets.clear()
        self._bytes = 0

    def _take(self, bucket: str, limit: Limit) -> LimitResult:
        now = int(self._clock() * MICROSECONDS)
        self._buckets[bucket], taken = take(self._buckets.get(bucket, 0), now, limit)
        self._buckets.move_to_end(bucket)
        if len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)
        return taken

    def find(self, key: bytes) -> bytes | None:
        """As `get`, and at once."""
        found = self._values.get(key)
        if found is None:
            return None
        value, expires_at = found
        if expires_at <= self._clock():
            self.forget(key)
            return None
        self._values.move_to_end(key)
        return value

    def forget(self, key: bytes) -> None:
        """As `delete`, and at once."""
        found = self._values.pop(key, None)
        if found is not None:
            self._bytes -= _size(key, found[0])


def _size(key: bytes, value: bytes) -> int:
    return len(key) + len(value) + _ENTRY_OVERHEAD_BYTES
