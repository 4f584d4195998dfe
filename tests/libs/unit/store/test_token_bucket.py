"""What a token bucket promises, for every limit and every sequence of takes."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_store.store import Limit, LimitResult
from modelport_store.token_bucket import MICROSECONDS, take

START = 1_790_000_000 * MICROSECONDS
LIMITS = st.builds(Limit, st.integers(1, 10_000), st.integers(1, 86_400))
GAPS = st.lists(st.integers(0, 5 * MICROSECONDS) | st.integers(0, 20), max_size=60)


def take_all(limit: Limit, gaps: list[int]) -> list[tuple[int, LimitResult]]:
    """Each take with its time."""
    full_at, now, answers = 0, START, []
    for gap in gaps:
        now += gap
        full_at, taken = take(full_at, now, limit)
        answers.append((now, taken))
    return answers


@settings(deadline=None)
@given(LIMITS, GAPS)
def test_never_more_is_allowed_than_the_capacity_and_what_was_refilled(limit: Limit, gaps: list[int]) -> None:
    allowed = 0
    for now, taken in take_all(limit, gaps):
        allowed += taken.allowed
        refilled = Fraction((now - START) * limit.requests, limit.period_seconds * MICROSECONDS)
        assert allowed <= limit.requests + refilled


@settings(deadline=None)
@given(LIMITS, GAPS)
def test_what_is_left_is_never_negative_and_never_above_the_capacity(limit: Limit, gaps: list[int]) -> None:
    for _, taken in take_all(limit, gaps):
        assert 0 <= taken.remaining < limit.requests or (limit.requests == 1 and taken.remaining == 0)
        assert taken.reset_after >= 0
        assert (taken.retry_after > 0) == (not taken.allowed)


@settings(deadline=None)
@given(LIMITS, GAPS, st.integers(0, 10 * MICROSECONDS))
def test_waiting_longer_never_leaves_less(limit: Limit, gaps: list[int], longer: int) -> None:
    full_at, now = 0, START
    for gap in gaps:
        now += gap
        full_at, _ = take(full_at, now, limit)
    _, sooner = take(full_at, now, limit)
    _, later = take(full_at, now + longer, limit)
    assert (later.allowed, later.remaining) >= (sooner.allowed, sooner.remaining)


@settings(deadline=None)
@given(LIMITS, GAPS)
def test_a_refused_caller_who_waits_for_retry_after_is_allowed(limit: Limit, gaps: list[int]) -> None:
    full_at, now = 0, START
    for gap in gaps:
        now += gap
        full_at, taken = take(full_at, now, limit)
        if not taken.allowed:
            _, again = take(full_at, now + round(taken.retry_after * MICROSECONDS), limit)
            assert again.allowed


@settings(deadline=None)
@given(LIMITS)
def test_a_new_bucket_allows_exactly_its_capacity_at_once(limit: Limit) -> None:
    count = min(limit.requests, 200)
    answers = take_all(limit, [0] * (count + 1))
    assert all(taken.allowed for _, taken in answers[:count])
    assert answers[count][1].allowed == (limit.requests > count)


def test_a_clock_set_back_does_not_lock_a_caller_out() -> None:
    limit = Limit(10, 60)
    full_at, _ = take(0, START, limit)
    set_back = START - 3600 * MICROSECONDS
    full_at, refused = take(full_at, set_back, limit)
    assert (refused.allowed, refused.retry_after) == (False, 6)
    _, taken = take(full_at, set_back + 6 * MICROSECONDS, limit)
    assert taken.allowed


@pytest.mark.parametrize(
    "text", ["", "10", "10/", "0/minute", "-1/minute", "x/minute", "10/fortnight", "1.5/day"]
)
def test_what_is_no_limit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="10/hour"):
        Limit.parse(text)


@pytest.mark.parametrize("text", ["10/hour", "1/second", "100/minute", "5/day"])
def test_a_limit_reads_back_as_it_was_written(text: str) -> None:
    assert str(Limit.parse(text)) == text


def test_a_limit_of_another_period_is_written_in_seconds() -> None:
    assert str(Limit(3, 90)) == "3/90s"
