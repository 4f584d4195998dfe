"""When two predictions are the same: labels equal, numbers as close as their rounding can be."""

import math
from typing import Any

import numpy as np

from modelport_runtime.core import v2
from modelport_runtime.core.contributions.explained import names_of
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.signature import CONTRIBUTIONS
from modelport_runtime.core.types import Call, Outputs, Prediction

TOLERANCE = 1e-6
"""Of probabilities absolutely, of a regressor's numbers relatively."""
_ALLOWED = {
    "probabilities": (False, False),
    "predict_proba": (False, False),
    "decision_function": (False, True),
}
"""Outputs that are numbers whatever the predictions are: (labels, relative)."""
_SMALLEST_SCALE = 1e-9
"""Numbers below are compared as if they were of this size: they may be what rounding left of larger ones."""


def differences(original: Outputs, other: Outputs, *, labels: bool) -> np.ndarray[Any, Any]:
    """Return the difference of each row; infinity where a label or the form differs."""
    rows = _of_contributions(original, other) if CONTRIBUTIONS in original.values else np.zeros(original.rows)
    compare = {
        "prediction": _of_labels if labels else _of_numbers,
        "probabilities": _of_probabilities,
        "decision_function": _of_scores,
    }
    for name in names_of(tuple(original.values)):
        values = original.values[name]
        rows = np.maximum(rows, compare[name](values, other.values[name]))
    return rows


def _of_contributions(one: Outputs, other: Outputs) -> np.ndarray[Any, Any]:
    """Relative to the largest term of a row: the others may be what rounding left of it."""
    a, b = (each.arrays[CONTRIBUTIONS].reshape(each.rows, -1) for each in (one, other))
    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(a).max(axis=1, keepdims=True), _SMALLEST_SCALE)
        largest: np.ndarray[Any, Any] = _exact_or(a, b, np.abs(a - b) / scale).max(axis=1)
        return largest


def _of_labels(one: list[Any], other: list[Any]) -> np.ndarray[Any, Any]:
    pairs = zip(one, other, strict=True)
    return np.array([0.0 if type(a) is type(b) and a == b else np.inf for a, b in pairs])


def _of_numbers(one: list[Any], other: list[Any]) -> np.ndarray[Any, Any]:
    a, b = np.array(one, dtype=np.float64), np.array(other, dtype=np.float64)
    scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), _SMALLEST_SCALE)
    with np.errstate(all="ignore"):
        return _exact_or(a, b, np.abs(a - b) / scale)


def _of_scores(one: list[Any], other: list[Any]) -> np.ndarray[Any, Any]:
    """Relative, and below 1 absolute: near 0 is where terms cancel each other."""
    a, b = (np.array(scores, dtype=np.float64).reshape(len(scores), -1) for scores in (one, other))
    with np.errstate(all="ignore"):
        scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), 1.0)
        largest: np.ndarray[Any, Any] = _exact_or(a, b, np.abs(a - b) / scale).max(axis=1)
        return largest


def _of_probabilities(one: list[Any], other: list[Any]) -> np.ndarray[Any, Any]:
    if any(list(a) != list(b) for a, b in zip(one, other, strict=True)):
        return np.full(len(one), np.inf)
    a, b = (np.array([list(row.values()) for row in rows], dtype=np.float64) for rows in (one, other))
    with np.errstate(all="ignore"):
        largest: np.ndarray[Any, Any] = _exact_or(a, b, np.abs(a - b)).max(axis=1, initial=0.0)
        return largest


def _exact_or(a: Any, b: Any, difference: Any) -> np.ndarray[Any, Any]:
    """Equal infinities and NaNs are no difference; what is not a number else is one without bound."""
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isnan(difference), np.inf, difference))


def difference_of_predictions(original: Engine, call: Call, prediction: Prediction) -> float | None:
    """See `acceleration.difference`."""
    try:
        given = v2.read_response(prediction)
    except ValueError:
        return None
    if hasattr(original.backend, "parts"):
        from modelport_runtime.core.acceleration.networks import recheck

        return recheck.difference(original, call, given)
    (own,) = original.predict_many([call])
    if not isinstance(own, Prediction):
        return None
    exact = original.signature.task == "classifier"
    found = _of_values(v2.read_response(own), given, exact, relative=True)
    return found if found <= TOLERANCE else None


def _of_values(one: Any, other: Any, labels: bool, relative: bool) -> float:
    """Return the largest difference of two parsed bodies; infinity if they are not of one form."""
    if isinstance(one, dict) and isinstance(other, dict):
        return _of_objects(one, other, labels, relative)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return math.inf
        pairs = zip(one, other, strict=True)
        return max((_of_values(a, b, labels, relative) for a, b in pairs), default=0.0)
    if labels or type(one) is not float or type(other) is not float:
        return 0.0 if type(one) is type(other) and one == other else math.inf
    scale = max(abs(one), abs(other), _SMALLEST_SCALE) if relative else 1.0
    return abs(one - other) / scale


def _of_objects(one: dict[str, Any], other: dict[str, Any], labels: bool, relative: bool) -> float:
    if list(one) != list(other):
        return math.inf
    if one.get("name") == CONTRIBUTIONS:
        return _of_terms(one, other)
    # A tensor of the Open Inference Protocol has its name inside.
    labels, relative = _ALLOWED.get(str(one.get("name")), (labels, relative))
    return max(
        (
            _of_terms(value, other[key])
            if key == CONTRIBUTIONS
            else _of_values(value, other[key], *_ALLOWED.get(key, (labels, relative)))
            for key, value in one.items()
        ),
        default=0.0,
    )


def _of_terms(one: Any, other: Any) -> float:
    """Return the largest difference of what was parsed of contributions, as part of the largest of them."""
    found = _of_values(one, other, labels=False, relative=False)
    return found / max(_largest(one), _SMALLEST_SCALE)


def _largest(value: Any) -> float:
    if isinstance(value, dict):
        return max(map(_largest, value.values()), default=0.0)
    if isinstance(value, list):
        return max(map(_largest, value), default=0.0)
    return abs(value) if type(value) is float else 0.0
