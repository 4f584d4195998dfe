"""How often unchanged real data raises an alarm, and how surely a shift of one feature does.

Random halves: one is the reference, 500 rows of the other are the window. Three of the data sets have fewer
rows, so theirs come more than once; the digits have enough.
"""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from modelport_control_api.drift.evaluation.evaluate import Counted, evaluate
from modelport_control_api.drift.profiles.profile import Profile, match
from modelport_control_api.drift.profiles.profiling import profile_csv
from modelport_control_api.drift.records import FeatureResult
from modelport_control_api.drift.schemas import Thresholds
from modelport_control_api.settings import Settings
from modelport_telemetry.drift.counting import RowCounter
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

# Millions of cells are counted here, four times as slowly under coverage; other tests of drift measure that.
pytestmark = pytest.mark.no_cover
Rows = NDArray[np.float64]
LOADERS: dict[str, Callable[[], Any]] = {
    "breast_cancer": load_breast_cancer,
    "wine": load_wine,
    "digits": load_digits,
    "diabetes": load_diabetes,
}
WINDOWS = {"breast_cancer": 110, "wine": 250, "digits": 10, "diabetes": 150}


def platform_default(name: str) -> Any:
    return Settings.model_fields[name].default


LIMITS = Thresholds(
    psi_threshold=platform_default("drift_psi_threshold"),
    alpha=platform_default("drift_alpha"),
    window_rows=platform_default("drift_window_rows"),
)


class Split:
    """A profile of one half, and a window of the other."""

    def __init__(self, data: Rows, draw: np.random.Generator, folder: Path) -> None:
        order = draw.permutation(len(data))
        half = len(data) // 2
        pool = data[order[half:]]
        enough = len(pool) >= LIMITS.window_rows
        chosen = draw.permutation(len(pool))[:500] if enough else draw.integers(0, len(pool), 500)
        self.live: Rows = pool[chosen]
        self.profile = profile_of(data[order[:half]], folder)

    def results(self, live: Rows) -> dict[str, FeatureResult]:
        counter = RowCounter(match(self.profile, None).reference_bins("r", None))
        for row in live.tolist():
            counter.add(row, crc32(repr(row).encode()))
        counts = counter.take()
        counted = Counted(
            counts.rows, counts.counted, counts.features, {}, values=counts.values, blocks=counts.blocks
        )
        found = evaluate(match(self.profile, None), counted, LIMITS, reference_rows=self.profile.rows)
        return {result.name: result for result in found}


def profile_of(rows: Rows, folder: Path) -> Profile:
    path = folder / "reference.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[f"x{at}" for at in range(rows.shape[1])], *rows.tolist()])
    return profile_csv(path)


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fewer_than_one_window_in_a_hundred_is_a_false_alarm(tmp_path: Path) -> None:
    draw = np.random.default_rng(11)
    alarms = 0
    for name, windows in WINDOWS.items():
        data = LOADERS[name]().data
        for _ in range(windows):
            split = Split(data, draw, tmp_path)
            alarms += any(result.drifts for result in split.results(split.live).values())
    total = sum(WINDOWS.values())
    assert total >= 500
    assert alarms <= total / 100, f"{alarms} of {total} windows"


@pytest.mark.parametrize("name", LOADERS)
def test_a_shift_by_one_standard_deviation_is_found_in_every_feature(name: str, tmp_path: Path) -> None:
    data = LOADERS[name]().data
    split = Split(data, np.random.default_rng(13), tmp_path)
    missed = []
    for at, deviation in enumerate(data.std(axis=0)):
        # A column that is constant has none.
        for shift in shifts(data[:, at], deviation):
            moved = split.live.copy()
            moved[:, at] += shift
            if not split.results(moved)[f"x{at}"].drifts:
                missed.append((at, shift))
    assert missed == []


def shifts(values: Rows, deviation: float) -> list[float]:
    """Of whole numbers also by a whole number: it moves them onto values that the reference knows."""
    if not deviation:
        return []
    are_whole = bool((values == values.round()).all())
    return [deviation, max(1.0, round(deviation))] if are_whole else [deviation]
