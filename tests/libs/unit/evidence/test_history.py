"""What units did before is taken out of what they do in an experiment."""

import math

import numpy as np
import pytest
from modelport_evidence.arms import Design, Measure, judge_arms
from modelport_evidence.history import History, Measured, adjusted
from modelport_evidence.means import Sums
from modelport_evidence.rates import Interval
from modelport_evidence.units import ArmCounts
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _measured(before: Floats, values: Floats) -> Measured:
    """before: NaN of units that were not there."""
    known = ~np.isnan(before)
    return Measured(Sums.of(values), History.of(zip(before[known], values[known], strict=True)))


def _drawn(units: int, seed: int, *, more: float = 0.0, there: float = 1.0) -> tuple[Floats, Floats]:
    """Units who spend much and units who spend little, before and now."""
    rng = np.random.default_rng(seed)
    usual = rng.gamma(2.0, 10.0, units)
    before = np.where(rng.random(units) < there, usual + rng.normal(0, 5, units), np.nan)
    return before, usual + rng.normal(more, 5, units)


def test_it_is_the_regression_of_both_arms_on_what_was_before() -> None:
    arms = [_drawn(400, 1), _drawn(400, 2, more=3.0)]

    found = adjusted(*(_measured(*arm) for arm in arms))

    # Arms of one size: the slope is that of all units, each arm around its own means.
    x = np.concatenate([before - before.mean() for before, _ in arms])
    y = np.concatenate([values - values.mean() for _, values in arms])
    slope = (x @ y) / (x @ x)
    rest = [values - slope * before for before, values in arms]
    assert found.one.mean is not None
    assert found.other.mean is not None
    assert found.one.mean - found.other.mean == pytest.approx(rest[0].mean() - rest[1].mean(), rel=1e-9)
    assert found.one.variance == pytest.approx(rest[0].var(ddof=1), rel=1e-9)
    assert found.explained == pytest.approx(
        1 - sum(each.var(ddof=1) for each in rest) / sum(values.var(ddof=1) for _, values in arms), rel=1e-9
    )


def test_units_that_were_not_there_before_are_left_as_they_are() -> None:
    arms = [_drawn(4000, 3, there=0.5), _drawn(4000, 4, more=3.0, there=0.5)]

    some = adjusted(*(_measured(*arm) for arm in arms))
    none = adjusted(*(_measured(np.full_like(before, np.nan), values) for before, values in arms))

    assert some.explained is not None
    assert 0.3 < some.explained < 0.6
    assert none.explained is None
    assert none.one == Sums.of(arms[0][1])


@pytest.mark.parametrize(
    "before",
    [np.arange(40.0), np.full(400, 7.0)],
    ids=["too few", "all did the same"],
)
def test_history_that_proves_nothing_changes_nothing(before: Floats) -> None:
    values = np.arange(float(before.size))
    one = Measured(Sums.of([*values, *range(100)]), History.of(zip(before, values, strict=True)))

    assert adjusted(one, one).explained is None
    assert adjusted(one, one).one == one.sums


def test_what_was_before_makes_intervals_shorter_and_moves_no_mean() -> None:
    gains, shorter = [], []
    for seed in range(60):
        arms = {
            "v1": _measured(*_drawn(1000, 2 * seed)),
            "v2": _measured(*_drawn(1000, 2 * seed + 1, more=2.0)),
        }
        design = Design("v1", {"v1": 50, "v2": 50}, Measure("reward", higher_is_better=True))
        [with_history] = judge_arms(design, _counts(arms)).comparisons
        [without] = judge_arms(
            design, _counts({name: Measured(arm.sums) for name, arm in arms.items()})
        ).comparisons
        assert with_history.estimate is not None
        assert with_history.variance_reduction is not None
        gains.append(with_history.estimate)
        shorter.append(_width(with_history.interval) / _width(without.interval))
        assert without.variance_reduction is None
        assert _width(with_history.interval) / _width(without.interval) == pytest.approx(
            math.sqrt(1 - with_history.variance_reduction), rel=1e-6
        )

    assert np.mean(gains) == pytest.approx(2.0, abs=4 * np.std(gains) / math.sqrt(60))
    assert max(shorter) < 0.65


def _counts(arms: dict[str, Measured]) -> dict[str, ArmCounts]:
    return {name: ArmCounts(arm.sums.count, 0, {"reward": arm}) for name, arm in arms.items()}


def _width(interval: Interval) -> float:
    return interval.upper - interval.lower
