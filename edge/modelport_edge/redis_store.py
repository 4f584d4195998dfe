"""The store that all replicas share: Redis, 6.2 or newer.

Not Redis Cluster: a caller's bucket and a cached answer lie in different slots.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from modelport_edge.limits import Limit
from modelport_edge.redis_batching import Batcher
from modelport_edge.store import StoreUnavailable, Taken
from modelport_edge.token_bucket import MICROSECONDS

_SCRIPT = files("modelport_edge").joinpath("take_and_get.lua").read_text(encoding="utf-8")
_SCRIPT_SHA = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()

# A larger value gets a connection of its own.
_BATCHED_VALUE_BYTES = 16 * 1024


class RedisStore:
    """Raises StoreUnavailable for whatever goes wrong, within about `timeout_seconds`."""

    def __init__(self, url: str, *, timeout_seconds: float = 0.1, prefix: str = "modelport:") -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            # The default retries ten times with pauses; a caller is waiting, and the fallback is better.
            retry=Retry(NoBackoff(), 0),
        )
        self._batcher = Batcher(self._redis, timeout_seconds)
        self._bucket_prefix = f"{prefix}bucket:".encode()
        self._value_prefix = f"{prefix}value:".encode()

    async def take(self, bucket: str, limit: Limit) -> Taken:
        taken, _ = await self._take_and_get(bucket, limit, None)
        return taken

    async def take_and_get(
        self, bucket: str | None, limit: Limit | None, cache_key: bytes | None
    ) -> tuple[Taken | None, bytes | None]:
        if bucket is not None and limit is not None:
            return await self._take_and_get(bucket, limit, cache_key)
        return None, None if cache_key is None else await self.get(cache_key)

    async def get(self, key: bytes) -> bytes | None:
        with _unavailable_on_error():
            value: bytes | None = await self._batcher.execute("GET", self._value_prefix + key)
            return value

    async def put(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        milliseconds = int(ttl_seconds * 1000)
        if milliseconds <= 0:
            return await self.delete(key)
        client = self._batcher.execute if len(value) <= _BATCHED_VALUE_BYTES else self._redis.execute_command
        with _unavailable_on_error():
            await client("SET", self._value_prefix + key, value, "PX", milliseconds)

    async def delete(self, key: bytes) -> None:
        with _unavailable_on_error():
            await self._batcher.execute("DEL", self._value_prefix + key)

    async def ping(self) -> None:
        with _unavailable_on_error():
            await self._batcher.execute("PING")

    async def aclose(self) -> None:
        await self._batcher.aclose()
        await self._redis.aclose()

    async def _take_and_get(
        self, bucket: str, limit: Limit, cache_key: bytes | None
    ) -> tuple[Taken, bytes | None]:
        keys = [self._bucket_prefix + bucket.encode()]
        if cache_key is not None:
            keys.append(self._value_prefix + cache_key)
        period = limit.period_seconds * MICROSECONDS
        with _unavailable_on_error():
            answer = await self._run_script(len(keys), *keys, limit.requests, period)
        return _taken(limit, *answer[:4]), answer[4]

    async def _run_script(self, *arguments: Any) -> list[Any]:
        try:
            answer: list[Any] = await self._batcher.execute("EVALSHA", _SCRIPT_SHA, *arguments)
        except NoScriptError:
            # A new Redis, or one whose scripts were flushed. Nothing was taken, so asking again is safe.
            answer = await self._batcher.execute("EVAL", _SCRIPT, *arguments)
        return answer


def _taken(limit: Limit, allowed: int, full_at: int, now: int, missing: int) -> Taken:
    interval = -(-limit.period_seconds * MICROSECONDS // limit.requests)
    return Taken(
        allowed=bool(allowed),
        limit=limit,
        remaining=(now + interval * limit.requests - full_at) // interval,
        reset_after=(full_at - now) / MICROSECONDS,
        retry_after=missing / MICROSECONDS,
    )


@contextmanager
def _unavailable_on_error() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreUnavailable(f"Redis did not answer: {type(error).__name__}") from error
