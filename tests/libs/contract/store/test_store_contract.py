"""What every store does."""

import asyncio

import pytest
from modelport_store.store import Limit, Store

from tests.libs.contract.store.conftest import poll

TEN_A_MINUTE = Limit(10, 60)
ONE_A_DAY = Limit(1, 86_400)


async def test_a_hundred_concurrent_takes_of_a_bucket_of_ten_allow_exactly_ten(store: Store) -> None:
    taken = await asyncio.gather(*(store.take("caller", TEN_A_MINUTE) for _ in range(100)))
    assert sum(each.allowed for each in taken) == 10
    assert sorted(each.remaining for each in taken if each.allowed) == list(range(10))


async def test_a_take_says_what_is_left_and_when_the_bucket_is_full(store: Store) -> None:
    first = await store.take("caller", TEN_A_MINUTE)
    assert (first.allowed, first.limit, first.remaining, first.retry_after) == (True, TEN_A_MINUTE, 9, 0)
    assert first.reset_after == pytest.approx(6)
    second = await store.take("caller", TEN_A_MINUTE)
    assert second.remaining == 8
    assert second.reset_after == pytest.approx(12, abs=5)


async def test_a_refused_take_says_when_to_come_back(store: Store) -> None:
    await store.take("caller", ONE_A_DAY)
    refused = await store.take("caller", ONE_A_DAY)
    assert not refused.allowed
    assert refused.remaining == 0
    assert refused.retry_after == pytest.approx(86_400, abs=20)


async def test_a_bucket_refills(store: Store) -> None:
    five_a_second = Limit(5, 1)
    for _ in range(5):
        await store.take("caller", five_a_second)

    async def is_allowed() -> bool:
        return (await store.take("caller", five_a_second)).allowed

    await poll(is_allowed)


async def test_what_is_given_back_can_be_taken_again(store: Store) -> None:
    await store.take("caller", ONE_A_DAY)
    await store.give_back("caller", ONE_A_DAY)
    assert (await store.take("caller", ONE_A_DAY)).allowed
    assert not (await store.take("caller", ONE_A_DAY)).allowed
    await store.give_back("nobody", ONE_A_DAY)
    assert (await store.take("nobody", ONE_A_DAY)).allowed
    assert not (await store.take("nobody", ONE_A_DAY)).allowed


async def test_buckets_do_not_touch_each_other(store: Store) -> None:
    await store.take("one", ONE_A_DAY)
    assert (await store.take("other", ONE_A_DAY)).allowed


async def test_a_lowered_limit_holds_at_once(store: Store) -> None:
    await store.take("caller", Limit(1000, 86_400))
    await store.take("caller", ONE_A_DAY)
    assert not (await store.take("caller", ONE_A_DAY)).allowed


async def test_who_is_refused_by_a_changed_limit_is_let_in_as_that_limit_refills(store: Store) -> None:
    for _ in range(5):
        await store.take("caller", Limit(5, 86_400))
    five_a_second = Limit(5, 1)
    assert not (await store.take("caller", five_a_second)).allowed

    async def is_allowed() -> bool:
        return (await store.take("caller", five_a_second)).allowed

    await poll(is_allowed)


async def test_a_value_comes_back_as_it_was_put(store: Store) -> None:
    await store.put(b"key", b"value", 60)
    assert await store.get(b"key") == b"value"


@pytest.mark.parametrize("size", [5, 100_000])
async def test_a_value_that_is_put_without_waiting_is_there_soon(store: Store, size: int) -> None:
    store.put_nowait(b"key", b"x" * size, 60)

    async def is_there() -> bool:
        return await store.get(b"key") == b"x" * size

    await poll(is_there)


async def test_a_later_value_replaces_an_earlier_one(store: Store) -> None:
    await store.put(b"key", b"first", 60)
    await store.put(b"key", b"second", 60)
    assert await store.get(b"key") == b"second"


async def test_an_unknown_key_has_no_value(store: Store) -> None:
    assert await store.get(b"nothing") is None


async def test_an_empty_value_is_a_value(store: Store) -> None:
    await store.put(b"key", b"", 60)
    assert await store.get(b"key") == b""


async def test_a_deleted_value_is_gone_and_deleting_twice_is_no_error(store: Store) -> None:
    await store.put(b"key", b"value", 60)
    await store.delete(b"key")
    await store.delete(b"key")
    assert await store.get(b"key") is None


async def test_a_value_expires(store: Store) -> None:
    await store.put(b"short", b"value", 0.2)
    await store.put(b"long", b"value", 60)

    async def is_gone() -> bool:
        return await store.get(b"short") is None

    await poll(is_gone)
    assert await store.get(b"long") == b"value"


@pytest.mark.parametrize("ttl_seconds", [0, -1])
async def test_a_value_without_a_future_is_not_kept_and_ends_the_old_one(
    store: Store, ttl_seconds: float
) -> None:
    await store.put(b"key", b"old", 60)
    await store.put(b"key", b"value", ttl_seconds)
    assert await store.get(b"key") is None


async def test_keys_and_values_are_any_bytes(store: Store) -> None:
    every_byte = bytes(range(256))
    await store.put(every_byte, every_byte[::-1], 60)
    await store.put(every_byte + b"\0", b"other", 60)
    assert await store.get(every_byte) == every_byte[::-1]


async def test_a_value_of_eight_megabytes_comes_back_whole(store: Store) -> None:
    value = bytes(range(256)) * 32_768
    await store.put(b"big", value, 60)
    assert await store.get(b"big") == value


async def test_acquire_and_get_does_both(store: Store) -> None:
    await store.put(b"key", b"value", 60)
    taken, value = await store.acquire_and_get("caller", TEN_A_MINUTE, b"key")
    assert taken is not None
    assert (taken.allowed, taken.remaining, value) == (True, 9, b"value")
    assert (await store.take("caller", TEN_A_MINUTE)).remaining == 8


@pytest.mark.parametrize("size", [0, 16 * 1024, 16 * 1024 + 1, 1024 * 1024])
async def test_acquire_and_get_gives_values_of_every_size(store: Store, size: int) -> None:
    await store.put(b"key", b"x" * size, 60)
    taken, value = await store.acquire_and_get("caller", TEN_A_MINUTE, b"key")
    assert taken is not None
    assert (taken.remaining, value) == (9, b"x" * size)


async def test_a_refused_caller_gets_no_cached_value(store: Store) -> None:
    await store.put(b"key", b"value", 60)
    await store.take("caller", ONE_A_DAY)
    taken, value = await store.acquire_and_get("caller", ONE_A_DAY, b"key")
    assert taken is not None
    assert (taken.allowed, value) == (False, None)


async def test_acquire_and_get_does_what_it_is_given(store: Store) -> None:
    await store.put(b"key", b"value", 60)
    assert await store.acquire_and_get(None, None, b"key") == (None, b"value")
    assert await store.acquire_and_get(None, None, None) == (None, None)
    taken, value = await store.acquire_and_get("caller", TEN_A_MINUTE, None)
    assert taken is not None
    assert (taken.remaining, value) == (9, None)


async def test_a_bucket_and_a_value_of_one_name_are_two_things(store: Store) -> None:
    await store.put(b"name", b"value", 60)
    await store.take("name", TEN_A_MINUTE)
    assert await store.get(b"name") == b"value"


async def test_a_caller_who_gives_up_disturbs_nobody(store: Store) -> None:
    await store.put(b"key", b"value", 60)
    impatient = [asyncio.create_task(store.get(b"key")) for _ in range(20)]
    patient = [asyncio.create_task(store.get(b"key")) for _ in range(20)]
    await asyncio.sleep(0)
    for task in impatient:
        task.cancel()
    assert await asyncio.gather(*patient) == [b"value"] * 20
