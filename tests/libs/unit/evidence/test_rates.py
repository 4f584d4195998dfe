"""E-values and confidence sequences: what they are by definition, and what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_evidence.rates import (
    above_log_e,
    difference_above_log_e,
    is_refuted,
    mean_above_log_e,
    mean_interval,
    rate_interval,
)
from scipy import stats

LEVEL = 0.05


@st.composite
def counted(draw: st.DrawFn, most: int = 2000) -> tuple[int, int]:
    trials = draw(st.integers(1, most))
    return draw(st.integers(0, trials)), trials


@settings(deadline=None)
@given(counted())
def test_an_interval_holds_what_was_seen_and_its_edges_are_where_the_mixture_says(
    seen: tuple[int, int],
) -> None:
    hits, trials = seen
    interval = rate_interval(hits, trials, LEVEL)
    assert 0 <= interval.lower <= hits / trials <= interval.upper <= 1
    for edge in (interval.lower, interval.upper):
        # As near to 1 as 1e-12, what is written of a rate says too little of its misses.
        if 1e-6 < edge < 1 - 1e-6:
            # scipy's beta-binomial over its binomial is the same likelihood ratio.
            ratio = stats.betabinom.logpmf(hits, trials, 0.5, 10) - stats.binom.logpmf(hits, trials, edge)
            assert ratio == pytest.approx(-math.log(LEVEL), abs=1e-4)


def test_nothing_seen_is_nothing_known() -> None:
    assert (rate_interval(0, 0, LEVEL).lower, rate_interval(0, 0, LEVEL).upper) == (0, 1)
    assert (mean_interval(0, 0, 0, LEVEL).lower, mean_interval(0, 0, 0, LEVEL).upper) == (-1, 1)


@settings(deadline=None)
@given(counted(), st.floats(0.001, 0.5))
def test_an_interval_refutes_what_it_leaves_out(seen: tuple[int, int], rate: float) -> None:
    interval = rate_interval(*seen, LEVEL)
    if min(abs(rate - interval.lower), abs(rate - interval.upper)) > 1e-6:
        assert is_refuted(rate, *seen, LEVEL) == (not interval.lower < rate < interval.upper)


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.2])
def test_no_e_value_promises_more_than_one_on_average_where_the_rate_is_tolerated(rate: float) -> None:
    """Exactly, over every outcome of 60 trials: E[e] = 1 at the tolerance, less below it."""
    outcomes = range(61)
    at, below = (stats.binom.pmf(outcomes, 60, each) for each in (rate, rate / 2))
    values = np.exp([above_log_e(hits, 60, rate) for hits in outcomes])
    assert at @ values == pytest.approx(1)
    assert below @ values < 1


@pytest.mark.parametrize("mean", [0.0, 0.01, 0.1])
def test_bets_on_a_mean_are_fair(mean: float) -> None:
    downs, ups = 0.02, 0.02 + mean
    expected = 0.0
    for up in range(31):
        for down in range(31 - up):
            chance = stats.multinomial.pmf([up, down, 30 - up - down], 30, [ups, downs, 1 - ups - downs])
            expected += chance * math.exp(mean_above_log_e(up, down, 30, mean))
    assert expected == pytest.approx(1)


def test_two_rates_that_differ_by_no_more_than_is_tolerated_are_no_evidence() -> None:
    first, second = np.arange(21), np.arange(41)
    values = [[math.exp(difference_above_log_e((a, b), (20, 40), 0.05)) for b in second] for a in first]
    for rates in [(0.1, 0.1), (0.15, 0.1), (0.05, 0.3)]:
        chances = np.outer(stats.binom.pmf(first, 20, rates[0]), stats.binom.pmf(second, 40, rates[1]))
        assert (chances * values).sum() <= 1


@pytest.mark.parametrize(
    ("first", "second"), [((20, 400), (40, 4000)), ((3, 30), (0, 900)), ((0, 50), (9, 90))]
)
def test_of_two_rates_the_least_evidence_counts_that_any_second_rate_leaves(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    rates = np.linspace(1e-6, 0.3, 3001)

    def mean_ratio(seen: tuple[int, int], rates: np.ndarray, odds: list[float]) -> np.ndarray:
        pmf = stats.binom.logpmf
        others = [times * rates / (1 - rates + times * rates) for times in odds]
        return np.mean([np.exp(pmf(*seen, other) - pmf(*seen, rates)) for other in others], axis=0)

    least = min(
        mean_ratio(first, rates + 0.01, [1.3, 1.7, 2.2, 3.0, 4.5, 8.0, 20.0])
        * mean_ratio(second, rates, [1.0, 1.0, 0.9, 0.75, 0.55])
    )
    found = difference_above_log_e((first[0], second[0]), (first[1], second[1]), 0.01)
    assert found == pytest.approx(math.log(least), abs=0.01)


def test_an_interval_holds_at_every_look() -> None:
    rng = np.random.default_rng(5)
    missed = 0
    for _ in range(400):
        hits = (rng.random(2000) < 0.02).cumsum()
        missed += any(is_refuted(0.02, int(hits[look]), look + 1, LEVEL) for look in range(9, 2000, 10))
    assert missed <= 400 * LEVEL


def test_a_mean_is_within_its_interval_and_more_is_known_of_more() -> None:
    few, many = mean_interval(2, 1, 100, LEVEL), mean_interval(20, 10, 1000, LEVEL)
    assert few.lower < many.lower < 0.01 < many.upper < few.upper
