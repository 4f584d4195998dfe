"""What a predicted row is worth by each metric that is a mean over rows, once its truth is known."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from modelport_control_api.ground_truth.classes import class_name, is_right, number_of
from modelport_control_api.ground_truth.reading import Observation

# A probability of 0 of what came true is taken for as little, as scikit-learn's log_loss takes it.
_LEAST_PROBABILITY = 2.220446049250313e-16


def values_of(row: Observation, metrics: frozenset[str]) -> dict[str, float]:
    """Return those of the metrics that are known of the row."""
    values = {metric: _VALUES[metric](row) for metric in metrics}
    return {metric: value for metric, value in values.items() if value is not None}


def _reward(row: Observation) -> float | None:
    return row.reward


def _accuracy(row: Observation) -> float | None:
    return None if row.label is None else float(is_right(row.prediction, row.label))


def _error(power: int) -> "_Value":
    def value(row: Observation) -> float | None:
        label, predicted = number_of(row.label), number_of(row.prediction)
        return None if label is None or predicted is None else float(abs(label - predicted) ** power)

    return value


def _log_loss(row: Observation) -> float | None:
    if row.label is None or not row.probabilities:
        return None
    label = _class_of(row, row.label)
    share = sum(each for name, each in row.probabilities.items() if _class_of(row, name) == label)
    return -math.log(max(_LEAST_PROBABILITY, share))


def _brier(row: Observation) -> float | None:
    """Of two classes half of the sum, as scikit-learn has it."""
    if row.label is None or not row.probabilities:
        return None
    label = _class_of(row, row.label)
    loss = sum((share - (_class_of(row, name) == label)) ** 2 for name, share in row.probabilities.items())
    return loss / 2 if len(row.probabilities) == 2 else loss


def _class_of(row: Observation, value: Any) -> str:
    return class_name(value, row.prediction)


_Value = Callable[[Observation], float | None]
_VALUES: Mapping[str, _Value] = {
    "reward": _reward,
    "accuracy": _accuracy,
    "mae": _error(1),
    "mse": _error(2),
    "log_loss": _log_loss,
    "brier": _brier,
}
