"""The bounds of the memory store, with a clock of the test's own."""

import pytest
from modelport_store.memory_store import MemoryStore
from modelport_store.store import Limit


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_the_least_recently_used_value_goes_first(clock: Clock) -> None:
    store = MemoryStore(max_values=2, clock=clock)
    await store.put(b"a", b"1", 60)
    await store.put(b"b", b"2", 60)
    await store.get(b"a")
    await store.put(b"c", b"3", 60)
    assert [await store.get(key) for key in (b"a", b"b", b"c")] == [b"1", None, b"3"]


async def test_values_never_take_more_bytes_than_allowed(clock: Clock) -> None:
    store = MemoryStore(max_bytes=10_000, clock=clock)
    for number in range(100):
        await store.put(b"%d" % number, bytes(1000), 60)
    kept = [number for number in range(100) if await store.get(b"%d" % number)]
    assert 5 <= len(kept) <= 10
    assert kept[-1] == 99


async def test_replacing_and_deleting_give_their_bytes_back(clock: Clock) -> None:
    store = MemoryStore(max_bytes=5_000, clock=clock)
    await store.put(b"kept", bytes(1000), 60)
    for _ in range(50):
        await store.put(b"replaced", bytes(2000), 60)
        await store.delete(b"replaced")
    assert await store.get(b"kept") == bytes(1000)


async def test_a_value_larger_than_everything_is_not_kept_and_pushes_nothing_out(clock: Clock) -> None:
    store = MemoryStore(max_bytes=5_000, clock=clock)
    await store.put(b"kept", b"1", 60)
    await store.put(b"huge", bytes(6000), 60)
    assert await store.get(b"huge") is None
    assert await store.get(b"kept") == b"1"


async def test_a_value_expires_to_the_moment(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    await store.put(b"key", b"1", 10)
    clock.now += 9.99
    assert await store.get(b"key") == b"1"
    clock.now += 0.01
    assert await store.get(b"key") is None


async def test_buckets_are_bounded_and_the_busiest_caller_is_not_forgotten(clock: Clock) -> None:
    store = MemoryStore(max_buckets=10, clock=clock)
    limit = Limit(5, 3600)
    for number in range(100):
        await store.take(f"caller {number}", limit)
        busy = await store.take("busy", limit)
    assert not busy.allowed
    assert (await store.take("caller 0", limit)).remaining == 4, "forgotten long ago"
