"""Is what a model calls probabilities any? One of another version may give counts or scores instead."""

from typing import Any

import numpy as np

_ROUNDING = 1e-3


class ImplausibleProbabilities(ValueError):
    """What `predict_proba` gave lies outside 0 to 1 or does not sum to 1."""


def of_classes(given: Any) -> np.ndarray[Any, Any]:
    """Give n × k probabilities of which each row sums to 1, NaN aside. Raises `ImplausibleProbabilities`."""
    array = np.asarray(given)
    if array.size == 0 or array.dtype.kind not in "fiub":
        return array
    sums = array.sum(axis=1)
    if array.min() < -_ROUNDING or sums.max() > 1 + _ROUNDING or sums.min() < 1 - _ROUNDING:
        raise ImplausibleProbabilities(
            f"predict_proba gave {_shown(array, sums)}, which are no probabilities"
        )
    return array


def of_labels(given: Any) -> np.ndarray[Any, Any]:
    """Give probabilities that need not sum to 1. Raises `ImplausibleProbabilities`."""
    array = np.asarray(given)
    if array.size and (array.min() < -_ROUNDING or array.max() > 1 + _ROUNDING):
        numbers = f"{array.min():.6g} to {array.max():.6g}"
        raise ImplausibleProbabilities(f"predict_proba gave {numbers}, which are no probabilities")
    return array


def _shown(array: np.ndarray[Any, Any], sums: np.ndarray[Any, Any]) -> str:
    worst = int(np.nanargmax(np.abs(sums - 1)))
    values = ", ".join(f"{value:.6g}" for value in array[worst, :4])
    return f"{values}{', …' if array.shape[1] > 4 else ''} (sum {sums[worst]:.6g})"
