"""What the Redis store and its fallback do when Redis does not."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import uvloop
from modelport_store.fallback_store import FallbackStore
from modelport_store.memory_store import MemoryStore
from modelport_store.metrics import STORE_DEGRADED, STORE_FALLBACKS
from modelport_store.near_store import NearStore
from modelport_store.redis.store import RedisStore
from modelport_store.store import Limit, StoreUnavailable

from tests.libs.contract.store.conftest import TIMEOUT_SECONDS, poll
from tests.support.redis_fixtures import RedisServer
from tests.support.slowness import slowness

LIMIT = Limit(10, 60)


@pytest.fixture
async def redis_store(breakable_redis: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore(breakable_redis.url, timeout_seconds=TIMEOUT_SECONDS)
    yield store
    await store.aclose()


@pytest.fixture
async def fallback_store(breakable_redis: RedisServer) -> AsyncIterator[FallbackStore]:
    redis = RedisStore(breakable_redis.url, timeout_seconds=0.3)
    store = FallbackStore(redis, MemoryStore(), probe_seconds=0.05)
    yield store
    await store.aclose()


async def test_a_flushed_script_is_sent_again_and_the_bucket_goes_on(
    redis_store: RedisStore, breakable_redis: RedisServer
) -> None:
    await redis_store.take("caller", LIMIT)
    with breakable_redis.client() as client:
        client.script_flush()
    taken = await asyncio.gather(*(redis_store.take("caller", LIMIT) for _ in range(5)))
    assert sorted(each.remaining for each in taken) == [4, 5, 6, 7, 8]


async def test_every_call_says_that_a_dead_redis_is_unavailable(
    redis_store: RedisStore, breakable_redis: RedisServer
) -> None:
    await redis_store.take("caller", LIMIT)
    breakable_redis.stop()
    for call in (
        redis_store.take("caller", LIMIT),
        redis_store.acquire_and_get("caller", LIMIT, b"key"),
        redis_store.get(b"key"),
        redis_store.put(b"key", b"small", 60),
        redis_store.put(b"key", b"big" * 100_000, 60),
        redis_store.delete(b"key"),
        redis_store.ping(),
    ):
        with pytest.raises(StoreUnavailable, match="Redis did not answer"):
            await call


async def test_a_silent_redis_is_given_up_on_in_time(breakable_redis: RedisServer) -> None:
    store = RedisStore(breakable_redis.url, timeout_seconds=0.1)
    breakable_redis.pause()
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await store.get(b"key")
    assert time.monotonic() - started < 30
    await store.aclose()


async def test_the_store_works_again_when_redis_is_back(
    redis_store: RedisStore, breakable_redis: RedisServer
) -> None:
    breakable_redis.stop()
    with pytest.raises(StoreUnavailable):
        await redis_store.ping()
    breakable_redis.start()
    assert (await redis_store.take("caller", LIMIT)).remaining == 9


async def test_a_late_reply_is_never_taken_for_another_command(breakable_redis: RedisServer) -> None:
    store = RedisStore(breakable_redis.url, timeout_seconds=0.2)
    await store.put(b"first", b"answer to first", 60)
    await store.put(b"second", b"answer to second", 60)
    breakable_redis.pause()
    with pytest.raises(StoreUnavailable):
        await store.get(b"first")
    breakable_redis.resume()

    async def second_is_right() -> bool:
        try:
            return await store.get(b"second") == b"answer to second"
        except StoreUnavailable:
            return False

    await poll(second_is_right)
    assert await store.get(b"second") == b"answer to second"
    await store.aclose()


async def test_closing_the_store_ends_what_waits(breakable_redis: RedisServer) -> None:
    store = RedisStore(breakable_redis.url, timeout_seconds=60)
    breakable_redis.pause()
    waiting = [asyncio.create_task(store.get(b"key")) for _ in range(3)]
    await asyncio.sleep(0.05)
    await store.aclose()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(answer, StoreUnavailable) for answer in answers), answers


async def test_memory_stands_in_for_a_dead_redis_and_limits_still_hold(
    fallback_store: FallbackStore, breakable_redis: RedisServer
) -> None:
    before = STORE_FALLBACKS.labels("take")._value.get()
    breakable_redis.stop()
    taken = [await fallback_store.take("caller", LIMIT) for _ in range(12)]
    assert sum(each.allowed for each in taken) == 10
    assert STORE_FALLBACKS.labels("take")._value.get() - before == 12
    assert STORE_DEGRADED._value.get() == 1


async def test_only_the_first_requests_of_an_outage_wait_for_redis(
    fallback_store: FallbackStore, breakable_redis: RedisServer
) -> None:
    breakable_redis.pause()
    await fallback_store.get(b"key")
    started = time.monotonic()
    for _ in range(100):
        await fallback_store.get(b"key")
    assert time.monotonic() - started < 0.3, "less than even one more timeout"


async def test_redis_is_used_again_by_itself(
    fallback_store: FallbackStore, breakable_redis: RedisServer
) -> None:
    breakable_redis.stop()
    await fallback_store.put(b"key", b"of the outage", 60)
    assert await fallback_store.get(b"key") == b"of the outage"
    breakable_redis.start()

    async def is_back() -> bool:
        return not fallback_store.degraded

    await poll(is_back)
    assert await fallback_store.get(b"key") is None, "asks Redis, which is empty"
    assert STORE_DEGRADED._value.get() == 0


async def test_closing_during_an_outage_leaves_no_task(breakable_redis: RedisServer) -> None:
    store = FallbackStore(RedisStore(breakable_redis.url), MemoryStore(), probe_seconds=60)
    breakable_redis.stop()
    await store.get(b"key")
    assert store.degraded
    await store.aclose()
    assert not store.degraded


async def test_what_is_put_without_waiting_goes_where_the_outage_has_it_looked_for(
    fallback_store: FallbackStore, breakable_redis: RedisServer
) -> None:
    breakable_redis.stop()
    await fallback_store.get(b"key")
    before = STORE_FALLBACKS.labels("put")._value.get()
    fallback_store.put_nowait(b"key", b"of the outage", 60)
    assert await fallback_store.get(b"key") == b"of the outage"
    assert STORE_FALLBACKS.labels("put")._value.get() == before + 1


async def test_ten_thousand_callers_at_once_take_exactly_what_is_there(breakable_redis: RedisServer) -> None:
    # How soon it is, is not the question: on a busy machine Redis waits for its turn.
    store = RedisStore(breakable_redis.url, timeout_seconds=120)
    limit = Limit(1000, 86_400)
    taken = await asyncio.gather(*(store.take("caller", limit) for _ in range(10_000)))
    assert sum(each.allowed for each in taken) == 1000
    await store.aclose()


async def test_a_paused_redis_is_used_again_when_it_goes_on(breakable_redis: RedisServer) -> None:
    store = RedisStore(breakable_redis.url, timeout_seconds=0.1)
    await store.put(b"key", b"value", 60)
    for _ in range(3):
        breakable_redis.pause()
        answers = await asyncio.gather(*(store.get(b"key") for _ in range(100)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        breakable_redis.resume()

        async def responds_again() -> bool:
            try:
                return await store.get(b"key") == b"value"
            except StoreUnavailable:
                return False

        await poll(responds_again)
    await store.aclose()


@pytest.mark.parametrize("is_near", [False, True])
async def test_many_large_values_are_no_outage(breakable_redis: RedisServer, is_near: bool) -> None:
    redis = RedisStore(breakable_redis.url, timeout_seconds=slowness())
    store = FallbackStore(NearStore(redis) if is_near else redis, MemoryStore())
    with breakable_redis.client() as client:
        client.set("modelport:value:small", "value")
        client.set("modelport:value:large", b"x" * 4 * 1024 * 1024)
    keys = [b"large", b"small"] * 100
    answers = await asyncio.gather(*(store.acquire_and_get("caller", Limit(1000, 1), key) for key in keys))
    assert not store.degraded
    assert all(value == b"value" for key, (_, value) in zip(keys, answers, strict=True) if key == b"small")
    await store.aclose()


async def test_time_that_this_process_spent_otherwise_is_not_held_against_redis(
    breakable_redis: RedisServer,
) -> None:
    loop = uvloop.new_event_loop()

    async def call_and_compute() -> bytes | None:
        store = RedisStore(breakable_redis.url, timeout_seconds=0.1)
        await store.put(b"key", b"value", 60)
        asked = asyncio.create_task(store.get(b"key"))
        for _ in range(3):
            await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - that is what is tested
        value = await asked
        await store.aclose()
        return value

    # Not on asyncio's own event loop, which reads before it looks at the time.
    assert await asyncio.to_thread(loop.run_until_complete, call_and_compute()) == b"value"
    loop.close()
