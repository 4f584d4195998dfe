"""What a gateway keeps near: never more than the limit passes, and most requests ask nobody."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from modelport_store.near_store import NearStore, most_leased
from modelport_store.redis.store import RedisStore
from modelport_store.store import Leased, Limit

from tests.libs.contract.store.conftest import TIMEOUT_SECONDS, poll
from tests.support.redis_fixtures import RedisServer

# 2 a second come back.
LIMIT = Limit(2000, 1000)
LEASED = 50


class Counting(RedisStore):
    """Counts what is asked."""

    asked = 0

    async def lease_and_get(self, *arguments: Any) -> Leased:
        self.asked += 1
        return await super().lease_and_get(*arguments)

    async def get_with_seconds(self, key: bytes) -> tuple[bytes | None, float]:
        self.asked += 1
        return await super().get_with_seconds(key)


class Clock:
    """Real time, and what was added."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
async def gateways(redis_url: str) -> AsyncIterator[Callable[..., tuple[NearStore, Counting]]]:
    """Makes gateways' stores over one Redis."""
    made: list[NearStore] = []

    def make(**options: Any) -> tuple[NearStore, Counting]:
        redis = Counting(redis_url, timeout_seconds=TIMEOUT_SECONDS)
        made.append(NearStore(redis, **options))
        return made[-1], redis

    yield make
    for each in made:
        await each.aclose()


@pytest.mark.parametrize(
    ("limit", "tokens"),
    [
        (Limit(59, 60), 1),
        (Limit(60, 60), 1),
        (Limit(100, 60), 2),
        (Limit(1000, 3600), 1),
        (LIMIT, LEASED),
        (Limit(10**6, 60), 1000),
    ],
)
def test_leases_are_a_small_part_of_a_limit_and_none_of_a_slow_one(limit: Limit, tokens: int) -> None:
    assert most_leased(limit) == tokens


async def acquired(store: NearStore, bucket: str = "caller", limit: Limit = LIMIT) -> int | None:
    """What is left then; None: it was refused."""
    taken, _ = await store.acquire_and_get(bucket, limit, None)
    assert taken is not None
    return taken.remaining if taken.allowed else None


async def test_a_lone_gateway_lets_as_many_through_as_without_leases_and_says_how_many_are_left(
    gateways: Any,
) -> None:
    near, redis = gateways()
    began = time.monotonic()
    left = [await acquired(near) for _ in range(900)]
    # Until its bucket is half empty.
    assert redis.asked < 100
    while (remaining := await acquired(near)) is not None:
        left.append(remaining)
    refilled = 2 * (time.monotonic() - began) + 1
    assert 2000 <= len(left) <= 2000 + refilled
    expected = range(1999, 1999 - len(left), -1)
    assert all(0 <= known - wanted <= refilled for known, wanted in zip(left, expected, strict=True))


async def test_of_several_gateways_no_more_than_the_limit_passes_and_no_less_than_it_without_their_leases(
    gateways: Any,
) -> None:
    stores = [gateways()[0] for _ in range(3)]
    began, passed = time.monotonic(), 0

    async def send(store: NearStore) -> None:
        nonlocal passed
        while await acquired(store) is not None:
            passed += 1

    await asyncio.gather(*(send(store) for store in stores for _ in range(4)))
    assert 2000 - 3 * 2 * LEASED <= passed <= 2000 + 2 * (time.monotonic() - began) + 1


async def test_what_is_not_spent_is_given_back(gateways: Any) -> None:
    near, _ = gateways()
    began = time.monotonic()
    for _ in range(40):
        await acquired(near)

    async def is_whole_again() -> bool:
        # Seen by another gateway; each look takes one.
        nonlocal looks
        looks += 1
        left = (await other.take("caller", LIMIT)).remaining
        return left + looks + 40 >= 2000

    other, looks = gateways()[1], 0
    await poll(is_whole_again)
    left = (await other.take("caller", LIMIT)).remaining
    assert left + looks + 41 <= 2000 + 2 * (time.monotonic() - began) + 1


async def test_a_stop_gives_back_too(gateways: Any) -> None:
    near, _ = gateways()
    began = time.monotonic()
    for _ in range(40):
        await acquired(near)
    await near.aclose()
    left = (await gateways()[1].take("caller", LIMIT)).remaining
    assert 2000 - 41 <= left <= 2000 - 41 + 2 * (time.monotonic() - began) + 1


async def test_other_limits_of_a_bucket_and_other_buckets_have_leases_of_their_own(gateways: Any) -> None:
    near, _ = gateways()
    for _ in range(40):
        await acquired(near)
    few = Limit(1, 86_400)
    assert [await acquired(near, "other", few) for _ in range(2)] == [0, None]
    # A lowered limit holds at once.
    assert await acquired(near, limit=few) is None


async def test_a_value_is_asked_for_once_and_lives_no_longer_than_it_is_kept(gateways: Any) -> None:
    clock = Clock()
    near, redis = gateways(clock=clock)
    other, _ = gateways()
    await other.put(b"key", b"value", 60)

    async def found() -> bytes | None:
        return (await near.acquire_and_get("caller", LIMIT, b"key"))[1]

    assert [await found() for _ in range(100)] == [b"value"] * 100
    asked = redis.asked
    assert asked < 20
    # Another gateway was told `no-cache`.
    await other.put(b"key", b"newer", 60)
    assert await found() == b"value"
    clock.ahead += 6
    assert await found() == b"newer"
    await near.put(b"key", b"mine", 0.5)
    assert await found() == b"mine"
    clock.ahead += 1

    async def is_gone() -> bool:
        return await found() is None

    await poll(is_gone)


async def test_what_is_deleted_is_gone_here_and_there(gateways: Any) -> None:
    near, redis = gateways()
    near.put_nowait(b"key", b"value", 60)
    assert (await near.acquire_and_get("caller", LIMIT, b"key"))[1] == b"value"
    await near.delete(b"key")
    assert (await near.acquire_and_get("caller", LIMIT, b"key"))[1] is None
    assert await redis.get(b"key") is None


async def test_large_values_come_from_redis(gateways: Any) -> None:
    near, _ = gateways()
    large = b"x" * 100_000
    await near.put(b"key", large, 60)
    for _ in range(5):
        assert (await near.acquire_and_get("caller", LIMIT, b"key"))[1] == large


async def test_a_refused_request_is_given_no_value(gateways: Any) -> None:
    near, _ = gateways()
    await near.put(b"key", b"value", 60)
    one = Limit(1, 86_400)
    assert (await near.acquire_and_get("caller", one, b"key"))[1] == b"value"
    taken, value = await near.acquire_and_get("caller", one, b"key")
    assert (taken.allowed, value) == (False, None)


async def test_while_redis_is_away_what_is_near_is_served_and_the_rest_says_so(
    breakable_redis: RedisServer,
) -> None:
    near = NearStore(RedisStore(breakable_redis.url, timeout_seconds=0.3))
    near.put_nowait(b"key", b"value", 60)
    for _ in range(40):
        assert (await near.acquire_and_get("caller", LIMIT, b"key"))[1] == b"value"
    lease = near._leases["caller"]
    breakable_redis.stop()
    for _ in range(lease.tokens):
        assert (await near.acquire_and_get("caller", LIMIT, b"key"))[1] == b"value"
    await near.aclose()
