"""Is what a model calls probabilities any? One of another version may give counts or scores instead."""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.parts import parts_of

_ROUNDING = 1e-3
_GIVE_NONE = {"OneVsRestClassifier", "RadiusNeighborsClassifier"}
"""Estimators of scikit-learn that may give no class anything: a row of zeros."""


class ImplausibleProbabilities(ValueError):
    """What `predict_proba` gave lies outside 0 to 1 or does not sum to 1."""


def of_classes(given: Any, falls_short: Callable[[], bool] = lambda: False) -> np.ndarray[Any, Any]:
    """Give n × k probabilities of which each row sums to 1. Raises `ImplausibleProbabilities`.

    A row of NaN, or of zeros where every class was ruled out, is what a library may answer.
    falls_short: asked only if other rows sum to less than 1, as averages with rows of zeros do.
    """
    array = np.asarray(given)
    if array.size == 0 or array.dtype.kind not in "fiub":
        return array
    sums = array.sum(axis=1)
    if array.min() >= -_ROUNDING and sums.max() <= 1 + _ROUNDING and sums.min() >= 1 - _ROUNDING:
        return array
    if _are_none(array, sums) or (_are_partly(array, sums) and not falls_short()):
        one = ": it knows one class only, of which it must give 1; train it on two classes or more"
        raise ImplausibleProbabilities(
            f"predict_proba gave {_shown(array, sums)}, which are no probabilities"
            f"{one if array.shape[1] == 1 else ''}"
        )
    return array


def of_labels(given: Any) -> np.ndarray[Any, Any]:
    """Give probabilities that need not sum to 1. Raises `ImplausibleProbabilities`."""
    array = np.asarray(given)
    if array.size and (array.min() < -_ROUNDING or array.max() > 1 + _ROUNDING):
        numbers = f"{array.min():.6g} to {array.max():.6g}"
        raise ImplausibleProbabilities(f"predict_proba gave {numbers}, which are no probabilities")
    return array


def may_rule_out_all(estimator: Any) -> bool:
    """True if the estimator, or one that it asks, may give every class 0."""
    return any(
        kind.__name__ in _GIVE_NONE and kind.__module__.startswith("sklearn.")
        for part in parts_of(estimator)
        for kind in type(part).__mro__
    )


def _are_none(array: np.ndarray[Any, Any], sums: np.ndarray[Any, Any]) -> bool:
    return bool((array < -_ROUNDING).any() or (sums > 1 + _ROUNDING).any())


def _are_partly(array: np.ndarray[Any, Any], sums: np.ndarray[Any, Any]) -> bool:
    return bool(array[sums < 1 - _ROUNDING].any())


def _shown(array: np.ndarray[Any, Any], sums: np.ndarray[Any, Any]) -> str:
    worst = int(np.nanargmax(np.where(array.any(axis=1), np.abs(sums - 1), 0)))
    values = ", ".join(f"{value:.6g}" for value in array[worst, :4])
    return f"{values}{', …' if array.shape[1] > 4 else ''} (sum {sums[worst]:.6g})"
