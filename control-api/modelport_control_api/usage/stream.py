"""One Redis stream, read by all replicas of the control API together, as a consumer group."""

import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from modelport_telemetry.usage.wire import FIELD
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

_GROUP = "control-api"
_COUNT = 50
_BLOCK_MILLISECONDS = 2000
_TIMEOUT_SECONDS = 5.0
# What a replica has read and not finished for so long is another's.
_ABANDONED_MILLISECONDS = 15_000
_LOOK_EVERY_SECONDS = 5.0
_GONE_MILLISECONDS = 3_600_000


@dataclass(frozen=True, slots=True)
class Entry:
    id: bytes
    data: bytes


class Stream:
    """`keeps_pending`: what was read and not forgotten is read again, by another replica if need be."""

    def __init__(self, redis_url: str, name: str, *, keeps_pending: bool) -> None:
        self.name = name
        self._keeps_pending = keeps_pending
        # No two are the same: names of Kubernetes' pods are, after a restart within one pod.
        self._consumer = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        self._look_at = 0.0
        self._redis = Redis.from_url(
            redis_url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    async def read(self) -> list[Entry]:
        """Return the next entries; none: nothing came in a while. Raises RedisError, OSError."""
        try:
            if self._keeps_pending and time.monotonic() >= self._look_at:
                self._look_at = time.monotonic() + _LOOK_EVERY_SECONDS
                if abandoned := await self._claim():
                    return abandoned
            return await self._read_new()
        except ResponseError as error:
            if not str(error).startswith(("NOGROUP", "UNBLOCKED")):
                raise
            # A new Redis, or one that was emptied.
            await self._make_group()
            return []

    async def forget(self, entries: Sequence[Entry], *, confirm: Mapping[str, int] | None = None) -> None:
        """Remove the entries; first set each key of `confirm` for so many seconds."""
        ids = [entry.id for entry in entries]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key, seconds in (confirm or {}).items():
                pipeline.set(key, b"1", ex=seconds)
            if self._keeps_pending:
                pipeline.xack(self.name, _GROUP, *ids)
            pipeline.xdel(self.name, *ids)
            await pipeline.execute(raise_on_error=False)

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def _read_new(self) -> list[Entry]:
        found: Any = await self._redis.xreadgroup(
            _GROUP,
            self._consumer,
            {self.name: ">"},
            count=_COUNT,
            block=_BLOCK_MILLISECONDS,
            noack=not self._keeps_pending,
        )
        return _entries(found[0][1]) if found else []

    async def _claim(self) -> list[Entry]:
        """Take over what a replica that died had read."""
        claimed: Any = await self._redis.xautoclaim(
            self.name, _GROUP, self._consumer, _ABANDONED_MILLISECONDS, count=_COUNT
        )
        if not claimed[1]:
            await self._drop_gone_consumers()
        return _entries(claimed[1])

    async def _drop_gone_consumers(self) -> None:
        """Names of replicas that are no more would stay in Redis forever."""
        consumers: Any = await self._redis.xinfo_consumers(self.name, _GROUP)
        for each in consumers:
            if not each["pending"] and each["idle"] > _GONE_MILLISECONDS:
                await self._redis.xgroup_delconsumer(self.name, _GROUP, each["name"])

    async def _make_group(self) -> None:
        try:
            await self._redis.xgroup_create(self.name, _GROUP, id="0", mkstream=True)
        except ResponseError as error:
            # Another replica was first.
            if not str(error).startswith("BUSYGROUP"):
                raise


def _entries(found: Sequence[tuple[bytes, Mapping[bytes, bytes] | None]]) -> list[Entry]:
    """What has no data is no entry of ours, and goes the way of all that cannot be read."""
    return [Entry(id_, (fields or {}).get(FIELD.encode(), b"")) for id_, fields in found]
