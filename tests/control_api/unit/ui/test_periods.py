"""A page of usage opens with the shortest period that holds the requests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_control_api.analytics.query import resolve
from modelport_control_api.ui.models.usage_views import PERIODS, query_of, shortest_period

NOW = datetime(2026, 11, 30, 1, 23, 45, tzinfo=UTC)


def counted_at(*ages: timedelta) -> Callable[[int, int], bool]:
    moments = [int((NOW - age).timestamp()) // 60 * 60 for age in ages]

    def is_counted(start: int, end: int) -> bool:
        # The ledger is asked by full hours.
        assert start % 3600 == 0
        return any(start <= moment < end for moment in moments)

    return is_counted


@pytest.mark.parametrize(
    ("ages", "name"),
    [
        ((), "1h"),
        ((timedelta(0),), "1h"),
        ((timedelta(0), timedelta(minutes=59)), "1h"),
        ((timedelta(0), timedelta(minutes=61)), "24h"),
        ((timedelta(hours=22),), "24h"),
        ((timedelta(days=2),), "7d"),
        ((timedelta(days=2), timedelta(minutes=1)), "24h"),
        ((timedelta(days=12),), "30d"),
        # Of what is older no page tells: as if there were nothing.
        ((timedelta(days=100), timedelta(minutes=5)), "1h"),
    ],
)
def test_it_is_the_shortest_that_holds_them(ages: tuple[timedelta, ...], name: str) -> None:
    assert shortest_period(NOW, counted_at(*ages)).name == name


@settings(deadline=None)
@given(st.lists(st.integers(0, 29 * 24 * 60), max_size=5))
def test_what_is_chosen_shows_something_wherever_there_is_something(minutes: list[int]) -> None:
    chosen = shortest_period(NOW, counted_at(*(timedelta(minutes=each) for each in minutes)))
    start = resolve(query_of(chosen, NOW, "UTC"), NOW, {}).start
    shown = [each for each in minutes if (NOW - timedelta(minutes=each)).timestamp() >= start]
    assert bool(shown) == bool(minutes)
    # Of a new model all that there is.
    if chosen.name == "1h":
        assert len(shown) == len(minutes)


def test_periods_go_from_the_shortest_to_the_longest() -> None:
    """By that order they are told apart."""
    assert [period.name for period in PERIODS.values()] == ["1h", "24h", "7d", "30d"]
