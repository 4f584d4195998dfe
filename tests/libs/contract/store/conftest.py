"""Each test that asks for `store` runs once on each implementation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from modelport_store.fallback_store import FallbackStore
from modelport_store.memory_store import MemoryStore
from modelport_store.near_store import NearStore
from modelport_store.redis.store import RedisStore
from modelport_store.store import Store

# Far above the default: these tests are about answers, not speed, and run on loaded machines.
TIMEOUT_SECONDS = 5


@pytest.fixture(params=["memory", "redis", "redis with fallback", "near redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    built: Store = MemoryStore()
    if request.param != "memory":
        redis = RedisStore(request.getfixturevalue("redis_url"), timeout_seconds=TIMEOUT_SECONDS)
        of_redis: dict[str, Store] = {
            "redis": redis,
            "redis with fallback": FallbackStore(redis, built),
            "near redis": NearStore(redis),
        }
        built = of_redis[request.param]
    yield built
    await built.aclose()


async def poll(check: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        done = await check()
        while not done:
            await asyncio.sleep(0.01)
            done = await check()
