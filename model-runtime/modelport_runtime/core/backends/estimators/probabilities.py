"""What `predict_proba` gave → an object of class → probability a row, if it is any: older files may
give scores.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.backends.estimators.results import Unreadable, rows_of
from modelport_runtime.core.compatibility.parts import parts_of
from modelport_runtime.core.responses import by_key, by_label, class_key, class_keys, plain

_ROUNDING = 1e-3
_GIVE_NONE = {"OneVsRestClassifier", "RadiusNeighborsClassifier"}
"""Estimators of scikit-learn that may give no class anything: a row of zeros."""


class ImplausibleProbabilities(ValueError):
    """What `predict_proba` gave lies outside 0 to 1 or does not sum to 1."""


def of_classes(given: Any, falls_short: Callable[[], bool] = lambda: False) -> np.ndarray[Any, Any]:
    """Return n × k probabilities of which each row sums to 1. Raises `ImplausibleProbabilities`.

    A row of NaN, or of zeros where every class was ruled out, is what a library may return.
    falls_short: called only if other rows sum to less than 1, as averages with rows of zeros do.
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
    """Return probabilities that need not sum to 1. Raises `ImplausibleProbabilities`."""
    array = np.asarray(given)
    if array.size and (array.min() < -_ROUNDING or array.max() > 1 + _ROUNDING):
        numbers = f"{array.min():.6g} to {array.max():.6g}"
        raise ImplausibleProbabilities(f"predict_proba gave {numbers}, which are no probabilities")
    return array


def may_rule_out_all(estimator: Any) -> bool:
    """True if the estimator, or one that it calls, may give every class 0."""
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


Given = Any
Read = Callable[[Given], list[Any]]
_OF_LABELS = ("sklearn.", "xgboost.", "lightgbm.")
"""Libraries whose classifiers give two dimensions for several labels, and never for one."""


class Probabilities:
    """Of one estimator: what its first result is like, the others are."""

    def __init__(self, estimator: Any, final: Any) -> None:
        self._estimator = estimator
        self._is_known = type(final).__module__.startswith(_OF_LABELS)
        self._read: Read | None = None

    def __call__(self, given: Given, predict: Callable[[], Any]) -> list[Any]:
        """`predict` predicts the same rows: it distinguishes several labels from several classes."""
        if self._read is None:
            self._read = self._reader(given, predict)
        return self._read(given)

    @cached_property
    def keys(self) -> list[str] | list[list[str]] | None:
        """Those of the classes, or of each label's. Raises `LoadError` if two classes are alike."""
        classes = getattr(self._estimator, "classes_", None)
        if classes is None:
            return None
        if isinstance(classes, list) and any(np.ndim(each) for each in classes):
            return [class_keys(each) for each in classes]
        return class_keys(classes)

    def _reader(self, given: Given, predict: Callable[[], Any]) -> Read:
        keys = self.keys
        if isinstance(given, list | tuple) and given and np.ndim(given[0]) == 2:
            return self._of_labels(_for_each(keys, len(given)))
        if hasattr(given, "columns"):
            return self._of_frame(given, keys)
        rows = rows_of(given, "predict_proba")
        if isinstance(rows, list) and rows and isinstance(rows[0], dict):
            return _of_objects
        array = np.asarray(rows)
        if array.ndim != 2:
            raise _unexpected(array, keys)
        if self._has_labels(array, keys, predict):
            return _marginals(_for_each(keys, array.shape[1]))
        return self._of_columns(array, keys, predict)

    def _of_columns(self, array: np.ndarray[Any, Any], keys: Any, predict: Callable[[], Any]) -> Read:
        if keys is None and _are_places(array, rows_of(predict(), "predict")):
            keys = [str(place) for place in range(array.shape[1])]
        if self._is_known and keys is not None and len(keys) == 1 and array.shape[1] == 2:
            return _of_the_only_class(keys)
        if keys is None or len(keys) != array.shape[1]:
            raise _unexpected(array, keys)
        return lambda given: by_key(self._of_classes(rows_of(given, "predict_proba")), keys)

    def _of_labels(self, keys: list[list[str]]) -> Read:
        def read(given: Sequence[Any]) -> list[Any]:
            arrays = [self._of_classes(rows_of(one, "predict_proba")) for one in given]
            labels = [by_key(one, each) for one, each in zip(arrays, keys, strict=True)]
            return [list(row) for row in zip(*labels, strict=True)]

        return read

    def _of_frame(self, given: Any, keys: Any) -> Read:
        """Its columns are named by the classes, in whatever order, or else stand in the classes' order."""
        named = class_keys(given.columns)
        if keys is not None and sorted(map(str, keys)) != sorted(named):
            if len(keys) != len(named):
                raise _unexpected(given, keys)
            named = keys
        return lambda given: by_key(self._of_classes(given.to_numpy()), named)

    def _of_classes(self, given: Any) -> np.ndarray[Any, Any]:
        return of_classes(given, lambda: self._rules_out_all)

    @cached_property
    def _rules_out_all(self) -> bool:
        return may_rule_out_all(self._estimator)

    def _has_labels(self, array: Any, keys: Any, predict: Callable[[], Any]) -> bool:
        """True if each column is a label's own probability, no class's."""
        if keys and isinstance(keys[0], list):
            return True
        if np.shape(rows_of(predict(), "predict")) != array.shape:
            return False
        # Of an unknown class, a row of ones and zeros may stand for one class of many.
        return self._is_known or bool((abs(array.sum(axis=1) - 1) > _ROUNDING).any())


def _are_places(likely: Any, predicted: Any) -> bool:
    """True if what is predicted is the likeliest's place: mixtures do so, their components have no names."""
    return bool(plain(np.argmax(likely, axis=1)) == plain(predicted))


def _for_each(keys: Any, labels: int) -> list[list[str]]:
    of_labels: list[list[str]] = keys if keys and isinstance(keys[0], list) else [["0", "1"]] * labels
    if len(of_labels) != labels:
        raise Unreadable(f"predict_proba gave {counted(labels, 'label')}, but classes_ has {len(of_labels)}")
    return of_labels


def _marginals(keys: list[list[str]]) -> Read:
    """Each column is the probability of a label's second class."""
    if any(len(each) != 2 for each in keys):
        raise Unreadable("predict_proba gave one probability for a label of more than two classes")

    return lambda given: by_label(of_labels(rows_of(given, "predict_proba")), keys)


def _of_the_only_class(keys: list[str]) -> Read:
    """Trained on one class, boosters give a second column all the same: of a class that there is not."""
    return lambda given: by_key(of_classes(np.asarray(given)[:, :1]), keys)


def _of_objects(given: Any) -> list[Any]:
    return [{class_key(label): plain(value) for label, value in row.items()} for row in given]


def _unexpected(array: Any, keys: Any) -> Unreadable:
    unnamed = "but it has no classes_ that name them: set that attribute, one class a column"
    wanted = unnamed if keys is None else f"not n×{len(keys)}, one a class"
    shape = "×".join(["n", *map(str, array.shape[1:])])
    return Unreadable(f"predict_proba gave an array of the shape {shape}, {wanted}")
