"""Confidence sequences for means and for the difference of two."""

import math

import numpy as np
import pytest
from modelport_evidence.means import LEAST, UNKNOWN, Sums, difference_sequence, mean_sequence


def test_sums_add_up_to_those_of_all_values() -> None:
    values = np.random.default_rng(0).normal(3, 2, 500)

    found = Sums.of(values[:123]) + Sums.of(values[123:])

    assert found.count == 500
    assert found.mean == pytest.approx(values.mean())
    assert found.variance == pytest.approx(values.var(ddof=1))


def test_an_interval_is_the_papers() -> None:
    """Theorem 2.2 for a variance of 1 and rho squared as appendix B.2 has it for 5,000 values."""
    sums = Sums(count=5000, total=0.0, squares=4999.0)
    rho2 = (-2 * math.log(0.05) + math.log(-2 * math.log(0.05) + 1)) / 5000
    times = 5000 * rho2
    radius = math.sqrt(2 * (times + 1) / (5000**2 * rho2) * math.log(math.sqrt(times + 1) / 0.05))

    found = mean_sequence(sums, 0.05)

    assert found.upper == pytest.approx(radius)
    assert found.lower == pytest.approx(-radius)


def test_an_interval_is_between_one_and_a_half_and_two_times_one_of_one_look() -> None:
    values = np.random.default_rng(1).normal(0, 1, 5000)

    found = mean_sequence(Sums.of(values), 0.05)

    once = 2 * 1.96 * values.std() / math.sqrt(5000)
    assert 1.5 < (found.upper - found.lower) / once < 2


def test_a_difference_is_around_the_difference_of_the_means() -> None:
    rng = np.random.default_rng(2)
    one, other = Sums.of(rng.normal(5, 1, 4000)), Sums.of(rng.normal(4, 3, 1000))

    found = difference_sequence(one, other, 0.05)

    assert one.mean is not None
    assert other.mean is not None
    assert (found.lower + found.upper) / 2 == pytest.approx(one.mean - other.mean)
    assert found.lower < 1 < found.upper
    back = difference_sequence(other, one, 0.05)
    assert (back.lower, back.upper) == pytest.approx((-found.upper, -found.lower))


def test_few_values_say_nothing() -> None:
    many, few = Sums.of([0.0, 1.0] * 500), Sums.of([0.0, 1.0] * (LEAST // 2 - 1))

    assert difference_sequence(many, few, 0.05) == UNKNOWN
    assert mean_sequence(few, 0.05) == UNKNOWN
    assert mean_sequence(Sums(), 0.05) == UNKNOWN


def test_an_arm_whose_values_are_all_equal_is_not_taken_for_sure() -> None:
    some, none = Sums.of([0.0] * 95 + [1.0] * 5), Sums.of([0.0] * 100)

    found = difference_sequence(some, none, 0.05)

    assert found.lower < 0 < found.upper
    assert difference_sequence(none, none, 0.05) == UNKNOWN
