"""A gateway's own part of the store that all share: values that it saw lately, and tokens taken in advance.

Values: keys hold all that a response depends on, so that none goes stale; how long one is kept is bounded for
the sake of `no-cache`, by which another gateway may have replaced it.

Tokens: whoever sends many requests has some taken at once, a *lease*, and spends them here. Of a limit below
one request a second none are taken in advance, of others at most a twentieth of the limit, and none of a
bucket that is more than half empty. What is not spent within a second is given back. So callers may be
refused, or told of fewer remaining requests, though other gateways hold a twentieth each; and within any
period no more than the limit and the leases of all gateways passes.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from modelport_store.memory_store import MemoryStore
from modelport_store.metrics import STORE_LOST_VALUES
from modelport_store.store import Leased, Limit, LimitResult, Store, StoreUnavailable
from modelport_store.token_bucket import MICROSECONDS, interval_of

_VALUE_SECONDS = 5.0
_MAX_VALUE_BYTES = 16 * 1024
_MAX_BYTES = 32 * 1024 * 1024
_LEASE_SECONDS = 1.0
# Two leases of a bucket may be there at once, one being spent and one on its way.
_OF_A_LIMIT = 40
_MOST_TOKENS = 1000
_MOST_LEASES = 10_000


class LeasingStore(Store, Protocol):
    async def lease_and_get(
        self, bucket: str, limit: Limit, cache_key: bytes | None, tokens: int
    ) -> Leased: ...

    async def get_with_seconds(self, key: bytes) -> tuple[bytes | None, float]: ...

    async def ping(self) -> None: ...


class _Lease:
    """Tokens of one bucket. `wanted`: how many to take next. `is_asked_for`: more are on their way."""

    __slots__ = ("at", "interval", "is_asked_for", "limit", "most", "result", "tokens", "until", "wanted")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.interval = interval_of(limit) / MICROSECONDS
        self.most = most_leased(limit)
        self.tokens = 0
        self.wanted = 1
        self.is_asked_for = False
        self.at = self.until = 0.0
        self.result = LimitResult(True, limit, 0, 0.0, 0.0)

    def add(self, result: LimitResult, tokens: int, now: float) -> None:
        self.tokens += tokens
        self.result, self.at, self.until = result, now, now + _LEASE_SECONDS

    def spend(self, now: float) -> LimitResult:
        self.tokens -= 1
        left = self.tokens
        reset = self.result.reset_after - (now - self.at) - left * self.interval
        return LimitResult(True, self.limit, self.result.remaining + left, max(0.0, reset), 0.0)


def most_leased(limit: Limit) -> int:
    """Return how many tokens are taken at once at most; 1: none in advance."""
    if limit.requests < limit.period_seconds:
        return 1
    return max(1, min(_MOST_TOKENS, limit.requests // _OF_A_LIMIT))


class NearStore:
    """All else is the store's own. `clock`: seconds that never go back."""

    def __init__(self, store: LeasingStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._values = MemoryStore(max_bytes=_MAX_BYTES, clock=clock)
        self._leases: dict[str, _Lease] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def acquire_and_get(
        self, bucket: str | None, limit: Limit | None, cache_key: bytes | None
    ) -> tuple[LimitResult | None, bytes | None]:
        if bucket is None or limit is None:
            return None, None if cache_key is None else await self._find(cache_key)
        now = self._clock()
        lease = self._leases.get(bucket)
        if lease is None or (lease.limit is not limit and lease.limit != limit):
            lease = self._begin(bucket, limit)
        if not lease.tokens or now > lease.until:
            return await self._take(bucket, lease, cache_key, now)
        if lease.tokens * 2 <= lease.wanted and not lease.is_asked_for and lease.most > 1:
            # At once, and not when the task begins: the next request may come before.
            lease.is_asked_for = True
            self._in_background(self._take_more(bucket, lease))
        taken = lease.spend(now)
        return taken, None if cache_key is None else await self._find(cache_key)

    async def take(self, bucket: str, limit: Limit) -> LimitResult:
        return await self._store.take(bucket, limit)

    async def give_back(self, bucket: str, limit: Limit, tokens: int = 1) -> None:
        await self._store.give_back(bucket, limit, tokens)

    async def get(self, key: bytes) -> bytes | None:
        return await self._store.get(key)

    async def put(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        self._values.forget(key)
        await self._store.put(key, value, ttl_seconds)

    def put_nowait(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        # It is kept near once somebody asks for it: most of what is put nobody does.
        self._values.forget(key)
        self._store.put_nowait(key, value, ttl_seconds)

    async def delete(self, key: bytes) -> None:
        self._values.forget(key)
        await self._store.delete(key)

    async def ping(self) -> None:
        await self._store.ping()

    async def aclose(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        # What is on its way first: it is to be given back, too.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for bucket, lease in self._leases.items():
            self._give_back_rest(bucket, lease)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.aclose()

    def _begin(self, bucket: str, limit: Limit) -> _Lease:
        former = self._leases.get(bucket)
        if former is not None:
            self._give_back_rest(bucket, former)
        elif len(self._leases) >= _MOST_LEASES:
            first = next(iter(self._leases))
            self._give_back_rest(first, self._leases.pop(first))
        lease = self._leases[bucket] = _Lease(limit)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(_LEASE_SECONDS, self._give_back_unspent)
        return lease

    async def _take(
        self, bucket: str, lease: _Lease, cache_key: bytes | None, now: float
    ) -> tuple[LimitResult, bytes | None]:
        """Of the shared store: one token to be spent at once, and as many more as the bucket's pace wants."""
        self._give_back_rest(bucket, lease)
        near = None if cache_key is None else self._values.find(cache_key)
        key = cache_key if near is None else None
        if lease.is_asked_for or lease.most == 1:
            leased = await self._store.lease_and_get(bucket, lease.limit, key, 1)
        else:
            lease.is_asked_for = True
            leased = await self._lease(bucket, lease, key, now)
        lease.add(leased.taken, max(0, leased.tokens - 1), now)
        if leased.value is not None and cache_key is not None:
            self._keep(cache_key, leased.value, leased.seconds)
        taken = leased.taken
        if lease.tokens:
            taken = taken._replace(remaining=taken.remaining + lease.tokens)
        return taken, near if near is not None and taken.allowed else leased.value

    async def _take_more(self, bucket: str, lease: _Lease) -> None:
        try:
            now = self._clock()
            leased = await self._lease(bucket, lease, None, now)
            lease.add(leased.taken, leased.tokens, now)
        except StoreUnavailable:
            # Who next finds no token asks for one, and notices.
            STORE_LOST_VALUES.labels("lease").inc()

    async def _lease(self, bucket: str, lease: _Lease, cache_key: bytes | None, now: float) -> Leased:
        """Ask for twice as many as the last time, if those were spent within their time."""
        lease.wanted = min(lease.most, lease.wanted * 2) if now <= lease.until else 1
        try:
            leased = await self._store.lease_and_get(bucket, lease.limit, cache_key, lease.wanted)
        finally:
            lease.is_asked_for = False
        lease.wanted = max(1, leased.tokens)
        return leased

    async def _find(self, key: bytes) -> bytes | None:
        value = self._values.find(key)
        if value is None:
            value, seconds = await self._store.get_with_seconds(key)
            if value is not None:
                self._keep(key, value, seconds)
        return value

    def _keep(self, key: bytes, value: bytes, seconds: float) -> None:
        if len(value) <= _MAX_VALUE_BYTES:
            self._values.put_nowait(key, value, min(seconds, _VALUE_SECONDS))

    def _give_back_unspent(self) -> None:
        now, self._sweep = self._clock(), None
        for bucket, lease in list(self._leases.items()):
            if now > lease.until and not lease.is_asked_for:
                self._give_back_rest(bucket, self._leases.pop(bucket))
        if self._leases:
            self._sweep = asyncio.get_running_loop().call_later(_LEASE_SECONDS, self._give_back_unspent)

    def _give_back_rest(self, bucket: str, lease: _Lease) -> None:
        tokens, lease.tokens = lease.tokens, 0
        if tokens:
            self._in_background(self._give_back(bucket, lease.limit, tokens))

    async def _give_back(self, bucket: str, limit: Limit, tokens: int) -> None:
        try:
            await self._store.give_back(bucket, limit, tokens)
        except StoreUnavailable:
            # They come back by themselves, as all tokens do.
            STORE_LOST_VALUES.labels("give_back").inc()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
