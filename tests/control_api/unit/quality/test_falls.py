"""Days on which a version predicted worse than before."""

from datetime import date, timedelta

import numpy as np
import pytest
from modelport_control_api.quality.falls.finding import falls_of
from modelport_evidence.means import Sums

FIRST = date(2026, 11, 1)


def days(*shares: tuple[int, float]) -> dict[date, Sums]:
    """Of each day how many rows, and which share of them was right."""
    made = {}
    for number, (rows, share) in enumerate(shares):
        right = round(rows * share)
        made[FIRST + timedelta(days=number)] = Sums(rows, right, right)
    return made


def test_a_day_that_is_certainly_worse_is_found_and_told_in_a_sentence() -> None:
    [fall] = falls_of("accuracy", days((1000, 0.95), (1000, 0.94), (500, 0.7)))
    assert fall.day == date(2026, 11, 3)
    assert fall.summary("v2") == (
        "v2 was right about 70 % of 500 rows of 03 November 2026, of those of the days before about 94.5 %."
    )
    assert fall.upper < -0.01
    assert fall.lower < 0.7 - 0.945 < fall.upper


@pytest.mark.parametrize(
    "shares",
    [
        [],
        [(1000, 0.95)],
        [(99, 0.95), (1000, 0.5)],
        [(1000, 0.95), (99, 0.1)],
        [(1000, 0.95), (150, 0.9)],
        [(1000, 0.9), (1000, 0.99)],
        # Certain, and of no consequence.
        [(5_000_000, 0.95), (5_000_000, 0.945)],
    ],
)
def test_too_little_too_few_or_better_is_no_fall(shares: list[tuple[int, float]]) -> None:
    assert falls_of("accuracy", days(*shares)) == []


def test_of_numbers_a_greater_error_is_a_fall() -> None:
    random = np.random.default_rng(7)
    usual = {FIRST + timedelta(days=day): Sums.of(abs(random.normal(0, 1, 800)).tolist()) for day in range(3)}
    worse = {FIRST + timedelta(days=3): Sums.of(abs(random.normal(0, 2, 800)).tolist())}
    [fall] = falls_of("mae", usual | worse)
    assert fall.summary("v1").startswith("v1 was off by 1.599 on average in 800 rows of 04 November 2026, ")
    assert falls_of("mae", usual) == []


def test_versions_that_stay_as_good_are_seldom_told_of() -> None:
    random = np.random.default_rng(11)
    told = 0
    for _ in range(400):
        rows = random.binomial(400, 0.9, 30)
        made = {
            FIRST + timedelta(days=day): Sums(400, right, right) for day, right in enumerate(rows.tolist())
        }
        told += bool(falls_of("accuracy", made))
    assert told / 400 <= 0.05
