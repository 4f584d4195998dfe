"""Redis while it replies, this process's memory while it does not.

After one failure no request queries Redis again; a background task does, so an outage costs nothing per
request.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import structlog

from modelport_store.metrics import STORE_DEGRADED, STORE_FALLBACKS
from modelport_store.store import Limit, LimitResult, Store, StoreUnavailable

log = structlog.get_logger(__name__)

_Reply = TypeVar("_Reply")


class PingableStore(Store, Protocol):
    async def ping(self) -> None:
        """Raises StoreUnavailable unless the store responds."""
        ...


class FallbackStore:
    """Never raises StoreUnavailable. During an outage limits are per process, the cache is another one."""

    def __init__(self, primary: PingableStore, memory: Store, *, probe_seconds: float = 0.5) -> None:
        self._primary = primary
        self._memory = memory
        self._probe_seconds = probe_seconds
        self._recovery: asyncio.Task[None] | None = None

    @property
    def degraded(self) -> bool:
        """Whether Redis is away, so that values and limits are this process's own."""
        return self._recovery is not None

    async def take(self, bucket: str, limit: Limit) -> LimitResult:
        return await self._call("take", lambda store: store.take(bucket, limit))

    async def give_back(self, bucket: str, limit: Limit, tokens: int = 1) -> None:
        await self._call("give_back", lambda store: store.give_back(bucket, limit, tokens))

    async def acquire_and_get(
        self, bucket: str | None, limit: Limit | None, cache_key: bytes | None
    ) -> tuple[LimitResult | None, bytes | None]:
        # As `_call`, which would cost the hot path a closure and a coroutine more.
        if self._recovery is None:
            try:
                return await self._primary.acquire_and_get(bucket, limit, cache_key)
            except StoreUnavailable as error:
                self._fall_back(error)
        STORE_FALLBACKS.labels("acquire_and_get").inc()
        return await self._memory.acquire_and_get(bucket, limit, cache_key)

    async def get(self, key: bytes) -> bytes | None:
        return await self._call("get", lambda store: store.get(key))

    async def put(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        await self._call("put", lambda store: store.put(key, value, ttl_seconds))

    def put_nowait(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        # The primary counts what it loses; the next request that waits for a response notices the outage.
        if self._recovery is None:
            self._primary.put_nowait(key, value, ttl_seconds)
        else:
            STORE_FALLBACKS.labels("put").inc()
            self._memory.put_nowait(key, value, ttl_seconds)

    async def delete(self, key: bytes) -> None:
        await self._call("delete", lambda store: store.delete(key))

    async def aclose(self) -> None:
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)
            self._use_primary()
        await self._primary.aclose()
        await self._memory.aclose()

    async def _call(self, operation: str, call: Callable[[Store], Awaitable[_Reply]]) -> _Reply:
        if self._recovery is None:
            try:
                return await call(self._primary)
            except StoreUnavailable as error:
                self._fall_back(error)
        STORE_FALLBACKS.labels(operation).inc()
        return await call(self._memory)

    def _fall_back(self, error: StoreUnavailable) -> None:
        if self._recovery is None:
            log.warning(
                "store_unavailable", error=str(error), now="memory of this process, limits per replica"
            )
            STORE_DEGRADED.set(1)
            self._recovery = asyncio.create_task(self._recover())

    async def _recover(self) -> None:
        is_back = False
        while not is_back:
            await asyncio.sleep(self._probe_seconds)
            is_back = await self._is_back()
        log.info("store_back")
        self._use_primary()

    def _use_primary(self) -> None:
        STORE_DEGRADED.set(0)
        self._recovery = None

    async def _is_back(self) -> bool:
        try:
            await self._primary.ping()
        except StoreUnavailable:
            return False
        return True
