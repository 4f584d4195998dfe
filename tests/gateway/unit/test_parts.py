"""Single flight, admission, memory with an end, traffic: each alone."""

import asyncio
import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_gateway.auth.ttl_cache import TTLCache
from modelport_gateway.concurrency.admission import Admission, QueueFull
from modelport_gateway.concurrency.single_flight import SingleFlight
from modelport_gateway.routing.traffic_split import choose_version
from prometheus_client import REGISTRY


async def test_identical_work_is_done_once() -> None:
    calls = 0
    flights: SingleFlight[int] = SingleFlight()

    async def work() -> int:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.01)
        return 7

    assert await asyncio.gather(*(flights.run("k", work) for _ in range(100))) == [7] * 100
    assert calls == 1
    await flights.run("k", work)
    assert calls == 2, "a later request must call again"


async def test_a_leader_that_leaves_does_not_take_the_others_along() -> None:
    flights: SingleFlight[int] = SingleFlight()
    gate = asyncio.Event()

    async def work() -> int:
        await gate.wait()
        return 7

    leader, follower = (asyncio.create_task(flights.run("k", work)) for _ in range(2))
    await asyncio.sleep(0)
    leader.cancel()
    await asyncio.sleep(0)
    gate.set()
    assert await follower == 7
    assert leader.cancelled()


async def test_work_that_nobody_waits_for_is_stopped() -> None:
    flights: SingleFlight[None] = SingleFlight()
    stopped = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.set()
            raise

    only = asyncio.create_task(flights.run("k", work))
    await asyncio.sleep(0.01)
    only.cancel()
    async with asyncio.timeout(60):
        await stopped.wait()


async def test_work_goes_on_for_those_who_joined_and_stops_with_the_last_of_them() -> None:
    flights: SingleFlight[None] = SingleFlight()
    begun, stopped = 0, 0

    async def work() -> None:
        nonlocal begun, stopped
        begun += 1
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped += 1
            raise

    async def leave(task: asyncio.Task[None]) -> tuple[int, int]:
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0.01)
        return begun, stopped

    leader, one, other = (asyncio.create_task(flights.run("k", work)) for _ in range(3))
    await asyncio.sleep(0)
    assert await leave(leader) == (2, 1), "once more, for those who are left"
    late = asyncio.create_task(flights.run("k", work))
    await asyncio.sleep(0)
    assert await leave(one) == (2, 1)
    assert await leave(other) == (2, 1)
    assert await leave(late) == (2, 2)
    assert flights._flights == {}


@pytest.mark.parametrize("fails", [False, True])
async def test_joiners_of_a_leader_that_left_share_what_comes_of_it(fails: bool) -> None:
    flights: SingleFlight[int] = SingleFlight()
    gate = asyncio.Event()

    async def work() -> int:
        await gate.wait()
        if fails:
            raise LookupError("x")
        return 7

    leader, *joiners = (asyncio.create_task(flights.run("k", work)) for _ in range(4))
    await asyncio.sleep(0)
    leader.cancel()
    joiners[0].cancel()
    await asyncio.sleep(0)
    gate.set()
    results = await asyncio.gather(*joiners[1:], return_exceptions=True)
    assert [type(result) for result in results] == [LookupError if fails else int] * 2
    assert flights._flights == {}


async def test_who_is_alone_starts_no_task() -> None:
    flights: SingleFlight[int] = SingleFlight()

    async def work() -> int:
        return len(asyncio.all_tasks())

    assert await flights.run("k", work) == 1


async def test_an_error_reaches_everybody() -> None:
    flights: SingleFlight[None] = SingleFlight()

    async def work() -> None:
        await asyncio.sleep(0)
        raise LookupError("x")

    results = await asyncio.gather(*(flights.run("k", work) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError] * 3


async def hold(admission: Admission, gate: asyncio.Event, entered: list[int], number: int) -> None:
    async with admission.place("m", 1):
        entered.append(number)
        await gate.wait()


async def test_places_go_in_the_order_requested_and_no_more_wait_than_may() -> None:
    admission, gate, entered = Admission(max_waiting=2), asyncio.Event(), list[int]()
    tasks = [asyncio.create_task(hold(admission, gate, entered, number)) for number in range(4)]
    await asyncio.sleep(0.01)
    with pytest.raises(QueueFull):
        await tasks[3]
    gate.set()
    await asyncio.gather(*tasks[:3])
    assert entered == [0, 1, 2]


async def test_who_waits_is_counted_until_it_leaves_the_queue() -> None:
    admission, gate = Admission(max_waiting=5), asyncio.Event()
    tasks = [asyncio.create_task(hold(admission, gate, [], number)) for number in range(3)]
    await asyncio.sleep(0)
    assert REGISTRY.get_sample_value("modelport_gateway_waiting_requests") == 2
    tasks[1].cancel()
    await asyncio.wait(tasks[1:2])
    assert REGISTRY.get_sample_value("modelport_gateway_waiting_requests") == 1
    gate.set()
    await asyncio.gather(tasks[0], tasks[2])
    assert REGISTRY.get_sample_value("modelport_gateway_waiting_requests") == 0


@pytest.mark.parametrize("leaves", ["while waiting", "when its turn has come"])
async def test_who_leaves_the_queue_takes_no_place_along(leaves: str) -> None:
    admission, gates = Admission(max_waiting=5), [asyncio.Event() for _ in range(3)]
    entered: list[int] = []
    tasks = [asyncio.create_task(hold(admission, gates[number], entered, number)) for number in range(3)]
    await asyncio.sleep(0)
    if leaves == "when its turn has come":
        gates[0].set()
        await asyncio.sleep(0)
    tasks[1].cancel()
    gates[0].set()
    gates[2].set()
    await asyncio.wait(tasks, timeout=60)
    assert entered in ([0, 2], [0, 1, 2])
    async with asyncio.timeout(60), admission.place("m", 1):
        pass


def test_memory_forgets_what_is_old_and_what_is_too_much() -> None:
    now = 0.0
    memory: TTLCache[str, int] = TTLCache(2, clock=lambda: now)
    memory.put("a", 1, 10)
    memory.put("b", 2, 10)
    assert memory.get("a") == 1
    memory.put("c", 3, 10)
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (1, None, 3)
    now = 10.0
    assert memory.get("a") is None


weights = st.lists(st.integers(0, 100), min_size=1, max_size=5)


@settings(deadline=None)
@given(weights, st.text(max_size=20))
def test_only_versions_with_weight_are_chosen_and_always_the_same(numbers: list[int], caller: str) -> None:
    traffic = [(f"v{at}", weight) for at, weight in enumerate(numbers, start=1)]
    chosen = choose_version(traffic, model_uid="u", sticky_to=caller)
    assert chosen == choose_version(traffic, model_uid="u", sticky_to=caller)
    assert (chosen is None) == (sum(numbers) == 0)
    assert chosen is None or dict(traffic)[chosen] > 0


def test_callers_split_as_the_weights_say() -> None:
    counts = Counter(
        choose_version([("v1", 90), ("v2", 10)], model_uid="u", sticky_to=str(caller))
        for caller in range(5000)
    )
    assert 400 < counts["v2"] < 600


@settings(deadline=None, max_examples=25)
@given(weights.filter(any))
def test_requests_are_drawn_within_binomial_bounds_of_the_weights(numbers: list[int]) -> None:
    traffic = [(f"v{at}", weight) for at, weight in enumerate(numbers, start=1)]
    counts = Counter(choose_version(traffic, model_uid="u", sticky_to=None) for _ in range(10_000))
    assert counts.total() == 10_000
    assert set(counts) <= {name for name, weight in traffic if weight}
    for name, weight in traffic:
        share = weight / sum(numbers)
        deviation = math.sqrt(10_000 * share * (1 - share))
        assert abs(counts[name] - 10_000 * share) <= 6 * deviation, (numbers, counts)


def test_a_draw_says_nothing_about_the_next_one() -> None:
    traffic = [("v1", 90), ("v2", 10)]
    drawn = [choose_version(traffic, model_uid="u", sticky_to=None) for _ in range(10_000)]
    pairs = Counter(pairwise(drawn))
    # 90 of 10,000 expected after each other, nine of ten times beside the other version.
    assert 40 < pairs["v2", "v2"] < 170
    assert 700 < pairs["v2", "v1"] < 1100


def test_nothing_is_drawn_where_nothing_has_weight() -> None:
    assert choose_version([], model_uid="u", sticky_to=None) is None
    assert choose_version([("v1", 0), ("v2", 0)], model_uid="u", sticky_to=None) is None


def test_callers_move_only_to_where_weight_was_added() -> None:
    for caller in range(500):
        before = choose_version([("v1", 90), ("v2", 10)], model_uid="u", sticky_to=str(caller))
        after = choose_version([("v1", 50), ("v2", 50)], model_uid="u", sticky_to=str(caller))
        assert after == "v2" or before == "v1"
