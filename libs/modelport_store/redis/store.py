"""The store that all replicas share: Redis, 6.2 or newer.

Not Redis Cluster: a caller's bucket and a cached response lie in different slots.
"""

import asyncio
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

from modelport_store.metrics import STORE_LOST_VALUES
from modelport_store.redis.client import RedisAddress, RedisClient
from modelport_store.redis.connection import RedisScript, command, pack
from modelport_store.store import Leased, Limit, LimitResult, StoreUnavailable
from modelport_store.token_bucket import MICROSECONDS, interval_of

_SCRIPT = RedisScript.of(
    files("modelport_store.redis").joinpath("acquire_and_get.lua").read_text(encoding="utf-8")
)
# A bucket that has expired is full; one that were made here would never expire.
_GIVE_BACK = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECRBY', KEYS[1], ARGV[1]) end"
_TAKE = b"*8\r\n" + _SCRIPT.by_digest + pack(1)
_TAKE_AND_GET = b"*9\r\n" + _SCRIPT.by_digest + pack(2)

# Larger values go over a connection of their own, not to hold up everything else.
_SMALL_VALUE_BYTES = 16 * 1024
_SMALL_VALUE = pack(_SMALL_VALUE_BYTES)
_ONE_TOKEN = pack(1) + _SMALL_VALUE
_MAX_KNOWN_LIMITS = 1024


@dataclass(frozen=True, slots=True)
class _KnownLimit:
    """A limit, and what is calculated from it once."""

    limit: Limit
    arguments: bytes
    interval: int
    capacity: int

    @classmethod
    def of(cls, limit: Limit) -> "_KnownLimit":
        interval = interval_of(limit)
        arguments = pack(limit.requests, limit.period_seconds * MICROSECONDS)
        return cls(limit, arguments, interval, interval * limit.requests)


class _Found(NamedTuple):
    """`value`: its length if it is a large one."""

    taken: LimitResult
    tokens: int
    value: bytes | int | None
    seconds: float


class RedisStore:
    """Raises StoreUnavailable for whatever goes wrong, within about `timeout_seconds`.

    Raises ValueError if `url` is no address of a Redis.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 0.1, prefix: str = "modelport:") -> None:
        address = RedisAddress.parse(url)
        self._client = RedisClient(address, _SCRIPT, timeout_seconds=timeout_seconds)
        self._for_large = RedisClient(address, _SCRIPT, timeout_seconds=timeout_seconds)
        self._bucket_prefix = f"{prefix}bucket:".encode()
        self._value_prefix = f"{prefix}value:".encode()
        self._limits: dict[Limit, _KnownLimit] = {}

    async def take(self, bucket: str, limit: Limit) -> LimitResult:
        return (await self._acquire_and_get(bucket, limit, None)).taken

    async def give_back(self, bucket: str, limit: Limit, tokens: int = 1) -> None:
        key = self._bucket_prefix + bucket.encode()
        await self._client.send(command("EVAL", _GIVE_BACK, 1, key, tokens * interval_of(limit)))

    async def acquire_and_get(
        self, bucket: str | None, limit: Limit | None, cache_key: bytes | None
    ) -> tuple[LimitResult | None, bytes | None]:
        if bucket is None or limit is None:
            return None, None if cache_key is None else await self.get(cache_key)
        found = await self._acquire_and_get(bucket, limit, cache_key)
        return found.taken, await self._whole(found.value, cache_key)

    async def lease_and_get(self, bucket: str, limit: Limit, cache_key: bytes | None, tokens: int) -> Leased:
        """As `acquire_and_get`, of so many tokens; of a bucket that has little left one alone is taken."""
        found = await self._acquire_and_get(bucket, limit, cache_key, pack(tokens) + _SMALL_VALUE)
        return Leased(found.taken, found.tokens, await self._whole(found.value, cache_key), found.seconds)

    async def get_with_seconds(self, key: bytes) -> tuple[bytes | None, float]:
        """Return the value, and how long it is kept; of one that is not there, or empty, None and 0."""
        stored = self._value_prefix + key
        # Its length first: most that are looked up here are not there, and a large one goes another way.
        length = await self._client.send(command("STRLEN", stored))
        if not length:
            return None, 0.0
        value = self._get_large(key) if length > _SMALL_VALUE_BYTES else self.get(key)
        found, left = await asyncio.gather(value, self._client.send(command("PTTL", stored)))
        return found, max(0, left) / 1000

    async def get(self, key: bytes) -> bytes | None:
        value: bytes | None = await self._client.send(command("GET", self._value_prefix + key))
        return value

    async def put(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        await self._put(key, value, ttl_seconds)

    def put_nowait(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        self._put(key, value, ttl_seconds).add_done_callback(_count_if_lost)

    async def delete(self, key: bytes) -> None:
        await self._delete(key)

    async def ping(self) -> None:
        await self._client.send(command("PING"))

    async def aclose(self) -> None:
        await self._client.aclose()
        await self._for_large.aclose()

    def _acquire_and_get(
        self, bucket: str, limit: Limit, cache_key: bytes | None, tokens: bytes = _ONE_TOKEN
    ) -> "asyncio.Future[_Found]":
        """tokens: how many, and from which size on a value is large, packed."""
        known = self._limits.get(limit) or self._know(limit)
        bucket_key = self._bucket_prefix + bucket.encode()
        if cache_key is None:
            packed = b"%b$%d\r\n%b\r\n%b%b" % (
                _TAKE,
                len(bucket_key),
                bucket_key,
                known.arguments,
                tokens,
            )
        else:
            value_key = self._value_prefix + cache_key
            packed = b"%b$%d\r\n%b\r\n$%d\r\n%b\r\n%b%b" % (
                _TAKE_AND_GET,
                len(bucket_key),
                bucket_key,
                len(value_key),
                value_key,
                known.arguments,
                tokens,
            )
        return self._client.send(packed, _found, known, is_script=True)

    async def _whole(self, value: bytes | int | None, key: bytes | None) -> bytes | None:
        if not isinstance(value, int):
            return value
        return None if key is None else await self._get_large(key)

    async def _get_large(self, key: bytes) -> bytes | None:
        try:
            value: bytes | None = await self._for_large.send(command("GET", self._value_prefix + key))
        except StoreUnavailable:
            # Large values may be slow without an outage: the token was taken, and the model can be called.
            STORE_LOST_VALUES.labels("get").inc()
            return None
        return value

    def _put(self, key: bytes, value: bytes, ttl_seconds: float) -> "asyncio.Future[Any]":
        milliseconds = int(ttl_seconds * 1000)
        if milliseconds <= 0:
            return self._delete(key)
        client = self._client if len(value) <= _SMALL_VALUE_BYTES else self._for_large
        return client.send(command("SET", self._value_prefix + key, value, "PX", milliseconds))

    def _delete(self, key: bytes) -> "asyncio.Future[Any]":
        return self._client.send(command("DEL", self._value_prefix + key))

    def _know(self, limit: Limit) -> _KnownLimit:
        if len(self._limits) >= _MAX_KNOWN_LIMITS:
            self._limits.clear()
        known = self._limits[limit] = _KnownLimit.of(limit)
        return known


def _found(reply: Any, known: _KnownLimit) -> _Found:
    tokens, full_at, now, missing, value, left = reply
    taken = LimitResult(
        tokens > 0,
        known.limit,
        (now + known.capacity - full_at) // known.interval,
        (full_at - now) / MICROSECONDS,
        missing / MICROSECONDS,
    )
    return _Found(taken, tokens, value, left / 1000)


def _count_if_lost(put: "asyncio.Future[Any]") -> None:
    if isinstance(put.exception(), StoreUnavailable):
        STORE_LOST_VALUES.labels("put").inc()
