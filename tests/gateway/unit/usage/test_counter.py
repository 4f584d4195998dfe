"""What the gateway counts, and that it waits within its bound."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_gateway.auth.authorization import Caller
from modelport_gateway.outcome import Outcome, PredictionResponse
from modelport_gateway.usage.counter import UsageCounter
from modelport_telemetry.usage.latency import bucket_of
from modelport_telemetry.usage.wire import UsageLine

MINUTE = 29_000_000


class Clock:
    def __init__(self) -> None:
        self.now = MINUTE * 60.0

    def __call__(self) -> float:
        return self.now


def outcome(caller: str = "", status: int = 200) -> Outcome:
    """Of a model that is not there."""
    response = PredictionResponse(b"{}", "v1")
    return Outcome(response, status, cache="hit", caller=Caller(caller, key_id="k1") if caller else None)


def count(
    counter: UsageCounter, caller: str, clock: Clock, status: int = 200, seconds: float = 0.001
) -> None:
    counter.count(outcome(caller, status), seconds, ended=clock.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def counted(counter: UsageCounter) -> dict[tuple[Any, ...], int]:
    lines, _ = counter.take(1000)
    return {(line.minute, line.caller, line.status): line.requests for line in lines}


def test_what_is_alike_adds_up_by_minute_and_latency(clock: Clock) -> None:
    counter = UsageCounter(10, clock)
    for seconds in (0.001, 0.001, 2.0):
        count(counter, "ada", clock, seconds=seconds)
    latency = {bucket_of(0.001): 2, bucket_of(2.0): 1}
    expected = UsageLine(MINUTE, "", "", "ada", "k1", 200, "", "hit", 3, latency)
    assert counter.take(10) == ([expected], 0)
    assert counter.take(10) == ([], 0)


def test_a_minute_begins_with_the_clock(clock: Clock) -> None:
    counter = UsageCounter(10, clock)
    for seconds in (30, 89.9, 90, 150):
        clock.now = MINUTE * 60 - 30 + seconds
        count(counter, "", clock)
    assert counted(counter) == {(MINUTE, "", 200): 2, (MINUTE + 1, "", 200): 1, (MINUTE + 2, "", 200): 1}


def test_a_clock_that_is_set_back_counts_so_from_the_next_minute_on(clock: Clock) -> None:
    wall = Clock()
    counter = UsageCounter(10, wall)
    for _ in range(3):
        count(counter, "", clock)
        clock.now += 60
        wall.now -= 3600
    assert counted(counter) == {(MINUTE - number * 60, "", 200): 1 for number in range(3)}


@settings(deadline=None)
@given(st.lists(st.floats(0, 1000), max_size=300))
def test_latencies_added_up_together_fall_into_the_buckets_of_each(latencies: list[float]) -> None:
    counter = UsageCounter(10)
    for seconds in latencies:
        counter.count(outcome(), seconds, ended=0.0)
    lines, _ = counter.take(10)
    expected = Counter(bucket_of(seconds) for seconds in latencies)
    assert [line.latency for line in lines] == ([expected] if expected else [])


def test_an_invented_model_is_counted_under_no_name(clock: Clock) -> None:
    counter = UsageCounter(10, clock)
    for _ in range(5):
        count(counter, "", clock, status=404)
    (line,), _ = counter.take(10)
    assert (line.model, line.requests) == ("", 5)


def test_what_does_not_fit_is_counted_as_dropped_and_what_is_known_goes_on(clock: Clock) -> None:
    counter = UsageCounter(2, clock)
    for caller in ("ada", "bob", "eve", "ada", "eve"):
        count(counter, caller, clock)
    lines, dropped = counter.take(1000)
    assert ({line.caller: line.requests for line in lines}, dropped) == ({"ada": 2, "bob": 1}, 2)
    count(counter, "eve", clock)
    assert counted(counter) == {(MINUTE, "eve", 200): 1}, "there is room again"


def test_taking_some_leaves_the_rest_oldest_first(clock: Clock) -> None:
    counter = UsageCounter(10, clock)
    for number in range(4):
        clock.now = (MINUTE + number // 2) * 60
        count(counter, f"user-{number}", clock)
    taken = [[line.caller for line in counter.take(3)[0]] for _ in range(2)]
    assert taken == [["user-0", "user-1", "user-2"], ["user-3"]]
    assert counter.waiting() == 0
