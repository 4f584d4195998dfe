"""Values of rows: their means are what scikit-learn computes over the same rows."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from modelport_control_api.ground_truth.reading import Observation
from modelport_control_api.ground_truth.values import values_of
from sklearn import metrics

_CLASSES = ["a", "b", "c"]


def _row(prediction: Any, label: Any, probabilities: dict[str, float] | None = None) -> Observation:
    return Observation("v1", datetime.now(UTC), "unit", prediction, probabilities, label, None)


def _classified(classes: list[str]) -> list[Observation]:
    rng = np.random.default_rng(0)
    rows = []
    for shares in rng.dirichlet([1.0] * len(classes), 300):
        probabilities = dict(zip(classes, map(float, shares), strict=True))
        label = str(rng.choice(classes))
        rows.append(_row(max(probabilities, key=lambda name: probabilities[name]), label, probabilities))
    return rows


def _mean(rows: list[Observation], metric: str) -> float:
    return float(np.mean([values_of(row, frozenset({metric}))[metric] for row in rows]))


@pytest.mark.parametrize("classes", [_CLASSES, _CLASSES[:2]])
def test_of_classes(classes: list[str]) -> None:
    rows = _classified(classes)
    labels = [row.label for row in rows]
    shares = np.array([[row.probabilities[name] for name in classes] for row in rows if row.probabilities])
    binary = len(classes) == 2
    told = shares[:, 1] if binary else shares
    brier: Callable[..., float] = metrics.brier_score_loss

    assert _mean(rows, "accuracy") == pytest.approx(
        metrics.accuracy_score(labels, [r.prediction for r in rows])
    )
    loss = metrics.log_loss(labels, shares, labels=classes)
    assert _mean(rows, "log_loss") == pytest.approx(loss, abs=1e-9)
    expected = brier(labels, told, labels=classes, **({"pos_label": classes[1]} if binary else {}))
    assert _mean(rows, "brier") == pytest.approx(expected, abs=1e-9)


def test_of_numbers() -> None:
    rng = np.random.default_rng(1)
    rows = [_row(float(one), float(other)) for one, other in rng.normal(0, 5, (300, 2))]
    labels, predictions = [row.label for row in rows], [row.prediction for row in rows]

    assert _mean(rows, "mae") == pytest.approx(metrics.mean_absolute_error(labels, predictions))
    assert _mean(rows, "mse") == pytest.approx(metrics.mean_squared_error(labels, predictions))


def test_what_is_not_known_has_no_value() -> None:
    every = frozenset({"reward", "accuracy", "log_loss", "brier", "mae", "mse"})

    assert values_of(_row("a", None, {"a": 1.0}), every) == {}
    assert values_of(_row("a", "b"), every) == {"accuracy": 0.0}
    assert values_of(_row(1, 3), every) == {"accuracy": 0.0, "mae": 2.0, "mse": 4.0}


def test_a_class_that_is_a_number_or_boolean_is_found_among_the_probabilities() -> None:
    assert values_of(_row(1, 1, {"0": 0.25, "1": 0.75}), frozenset({"brier"})) == {"brier": 0.0625}
    assert values_of(_row(True, True, {"False": 0.5, "True": 0.5}), frozenset({"brier"})) == {"brier": 0.25}
