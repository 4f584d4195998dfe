"""False alarms and misses, case by case: a few windows of each case of the bench."""

import pytest

from bench.drift import count, verdicts
from bench.drift_cases import CHANGED, SMALL, UNCHANGED, comments, stuck, unit_error

RUNS = 6


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_has_not_changed_raises_no_alarm(name: str) -> None:
    drifting, _ = count(UNCHANGED[name], RUNS, seed=3)
    assert drifting <= 1


@pytest.mark.parametrize("name", CHANGED)
def test_what_has_changed_is_found(name: str) -> None:
    drifting, _ = count(CHANGED[name], RUNS, seed=3)
    assert drifting >= RUNS - 1


@pytest.mark.parametrize("name", SMALL)
def test_a_small_change_is_told_as_small(name: str) -> None:
    drifting, small = count(SMALL[name], RUNS, seed=3)
    assert drifting + small == RUNS
    assert small >= RUNS - 2


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (unit_error, "Beyond all values of the reference in 5"),
        (lambda draw: comments(draw, constant=True), "Nearly all rows have one and the same value"),
        (stuck, "99 % of rows are copies of a few"),
    ],
)
def test_what_changed_is_said(case: object, said: str) -> None:
    import numpy as np

    worst = verdicts(case(np.random.default_rng(1)))[0]  # type: ignore[operator]
    assert worst.drifts
    assert worst.summary.startswith(said)
