"""The queue: once each, never two passes on one model, late ones in time."""

import asyncio

from modelport_operator.shell.queue import WorkQueue
from modelport_operator.shell.rate_limiter import PerKeyRateLimiter
from modelport_operator.shell.reconcile import Key
from modelport_process.backoff import KeyedBackoff

A, B = Key("ns", "a"), Key("ns", "b")


async def _is_empty(queue: WorkQueue) -> bool:
    try:
        await asyncio.wait_for(queue.take(), 0.02)
    except TimeoutError:
        return True
    return False


async def test_a_model_named_often_waits_once_and_in_order() -> None:
    queue = WorkQueue()
    for key in (A, B, A, A):
        queue.add(key)
    assert [await queue.take(), await queue.take()] == [A, B]
    assert await _is_empty(queue)


async def test_a_model_named_during_its_pass_comes_again_after_it() -> None:
    queue = WorkQueue()
    queue.add(A)
    await queue.take()
    queue.add(A)
    queue.add(A)
    assert await _is_empty(queue)
    queue.done(A)
    assert await queue.take() == A
    queue.done(A)
    assert await _is_empty(queue)


async def test_one_who_waits_is_woken() -> None:
    queue = WorkQueue()
    taking = [asyncio.create_task(queue.take()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.add(A)
    queue.add(B)
    assert sorted(await asyncio.gather(*taking)) == [A, B]


async def test_of_two_times_the_earlier_counts() -> None:
    queue = WorkQueue()
    queue.add_after(A, 30)
    queue.add_after(A, 0.01)
    queue.add_after(A, 30)
    assert await asyncio.wait_for(queue.take(), 60) == A
    queue.done(A)
    assert await _is_empty(queue)


async def test_nothing_comes_from_a_closed_queue() -> None:
    queue = WorkQueue()
    queue.add_after(A, 0.005)
    queue.close()
    assert await _is_empty(queue)


def test_each_failure_waits_longer_up_to_a_limit_and_success_resets_it() -> None:
    backoff: KeyedBackoff[str] = KeyedBackoff(first=1, longest=8)
    delays = [backoff.next_delay("a") for _ in range(60)]
    assert all(0.5 <= delay <= 1 for delay in delays[:1])
    assert all(4 <= delay <= 8 for delay in delays[3:])
    assert backoff.next_delay("b") <= 1
    backoff.succeeded("a")
    assert backoff.next_delay("a") <= 1


async def test_a_closed_queue_gives_nothing_and_takes_nothing() -> None:
    queue = WorkQueue()
    queue.add(A)
    queue.add_after(B, 0)
    queue.close()
    queue.add(B)
    queue.add_after(A, 0)
    await asyncio.sleep(0.01)
    assert await _is_empty(queue)


async def test_a_queue_is_drained_when_the_last_pass_has_ended() -> None:
    queue = WorkQueue()
    await asyncio.wait_for(queue.drained(), 1)
    queue.add(A)
    key = await queue.take()
    draining = asyncio.create_task(queue.drained())
    await asyncio.sleep(0.01)
    assert not draining.done()
    queue.done(key)
    await asyncio.wait_for(draining, 1)


class _Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_a_burst_passes_and_what_follows_is_held_to_a_pace() -> None:
    hands = _Hands()
    limiter: PerKeyRateLimiter[Key] = PerKeyRateLimiter(burst=3, per_second=5, now=hands)
    assert [limiter.wait_before(A) for _ in range(3)] == [0, 0, 0]
    assert limiter.wait_before(A) == 0.2
    assert limiter.wait_before(B) == 0, "one model's trouble is none of another's"
    hands.time = 0.2
    assert [limiter.wait_before(A), limiter.wait_before(A)] == [0, 0.2]
    hands.time = 60
    assert [limiter.wait_before(A) for _ in range(3)] == [0, 0, 0]


def test_models_that_have_been_calm_are_forgotten() -> None:
    hands = _Hands()
    limiter: PerKeyRateLimiter[Key] = PerKeyRateLimiter(burst=1, now=hands)
    for number in range(2000):
        limiter.wait_before(Key("ns", str(number)))
        hands.time += 0.01
    assert limiter.wait_before(Key("ns", "1999")) > 0
    assert len(limiter._used) < 1100
