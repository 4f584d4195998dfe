"""What a feature's drift is expected to do to accuracy is what it does, on real data."""

import csv
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modelport_control_api.drift.evaluation.effects import expected_change
from modelport_control_api.drift.profiles.profiling import cell_of_text, profile_csv
from modelport_control_api.quality.calibration.cells import CellCounts
from modelport_control_api.quality.calibration.file_rows import FileRow
from modelport_telemetry.drift.bins import Feature
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.naive_bayes import GaussianNB

pytestmark = pytest.mark.no_cover
LOADERS: dict[str, Callable[[], Any]] = {
    "breast_cancer": load_breast_cancer, "wine": load_wine, "digits": load_digits
}  # fmt: skip


def counts_of(column: Any, cells: NDArray[np.float64]) -> list[float]:
    find = cell_of_text(Feature(column.name, 0, column.bins))
    found = [0.0] * len(column.cells)
    for value in cells:
        found[find(repr(float(value)))] += 1
    return found


@pytest.mark.parametrize("name", LOADERS)
def test_rows_drawn_of_one_end_of_a_feature_are_as_often_right_as_expected(name: str, tmp_path: Path) -> None:
    data = LOADERS[name]()
    draw = np.random.default_rng(5)
    order = draw.permutation(len(data.data))
    # A model of few features is wrong often enough.
    columns = draw.permutation(data.data.shape[1])[:6]
    rows, truth = data.data[order][:, columns], data.target[order]
    third = len(rows) // 3
    model = GaussianNB(var_smoothing=1e-3).fit(rows[:third], truth[:third])
    predicted = model.predict(rows[third:])
    known, labels, said = rows[third:], truth[third:], predicted
    path = tmp_path / "reference.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[f"x{at}" for at in range(6)], *known.tolist()])
    profile = profile_csv(path)
    counts = CellCounts(profile.columns)
    for row, label, prediction in zip(known.tolist(), labels.tolist(), said.tolist(), strict=True):
        cells = {f"x{at}": value for at, value in enumerate(row)} | {"prediction": prediction}
        counts.add(FileRow(label, {}, cells, is_text=False), 0)
    is_right = (said == labels).astype(float)
    misses, moved = [], []
    for column, sign in itertools.product(profile.columns, (-1, 1)):
        values = known[:, int(column.name[1:])]
        ranks = np.argsort(np.argsort(sign * values, kind="stable"), kind="stable") / len(values)
        chosen = draw.choice(len(values), 5000, p=(ranks**2) / (ranks**2).sum())
        realised = float(is_right[chosen].mean() - is_right.mean())
        change = expected_change(
            counts.as_json()[column.name], counts_of(column, values), counts_of(column, values[chosen])
        )
        assert change is not None
        misses.append(abs(change - realised))
        moved.append(abs(realised))
    assert max(moved) > 0.03
    assert float(np.mean(misses)) < 0.015
    assert max(misses) < 0.05


@pytest.mark.parametrize(
    ("right", "before", "now"),
    [
        ([(40, 30), (40, 30)], [1, 1], [1, 2]),
        ([(400, 300)], [1, 1], [1, 2]),
        ([(400, 300), (1, 1)], [1, 1], [0, 0]),
    ],
    ids=["too few rows", "other cells", "no live rows"],
)
def test_what_is_not_known_is_not_guessed(right: Any, before: list[float], now: list[float]) -> None:
    assert expected_change(right, before, now) is None


def test_a_cell_that_nobody_was_seen_in_is_taken_for_as_good_as_all() -> None:
    assert expected_change([(500, 400), (500, 400), (0, 0)], [1, 1, 0], [0, 0, 1]) == pytest.approx(0)
