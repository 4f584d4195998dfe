"""Forests and boosted trees: what the leaves hold, put together in scikit-learn's own order."""

from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.kernels import linear
from modelport_runtime.core.acceleration.kernels.steps import Matrix, check
from modelport_runtime.core.acceleration.kernels.trees import Trees


def _sum_in_order(values: Matrix) -> Matrix:
    """Sum over the first axis one after the other: NumPy would pair the values of a single column."""
    if values.size == len(values):
        summed: Matrix = np.add.accumulate(values, axis=0)[-1]
    else:
        summed = np.add.reduce(values, axis=0)
    return summed


class Forest:
    def __init__(self, final: plan.Forest) -> None:
        self.trees = Trees(final.trees, np.float32)
        self._values = final.trees.values.unpack()
        self._classes = final.classes
        self._nan_allowed = final.nan_allowed

    def scores(self, matrix: Matrix) -> Matrix:
        """Return the mean of the trees: n × k."""
        single = matrix.astype(np.float32)
        check(single, nan_allowed=self._nan_allowed)
        values = self._values.take(self.trees.leaves(single), 0)
        return _sum_in_order(values) / self.trees.count

    def results(self, scores: Matrix) -> list[Any]:
        if self._classes is None:
            return scores.ravel().tolist()
        classes = self._classes
        return [classes[place] for place in scores.argmax(axis=1).tolist()]

    def probabilities(self, scores: Matrix) -> Matrix:
        return scores


class Boosting:
    def __init__(self, final: plan.Boosting) -> None:
        self.trees = Trees(final.trees, np.float32 if final.single_precision else np.float64)
        self._values = final.trees.values.unpack().ravel()
        self._single, self._checks = final.single_precision, final.checks
        self._outputs = final.outputs
        self._classes = final.classes
        self._exponential = final.link == "exp"
        self._link = linear.softmax if final.link == "softmax" else linear.two_classes
        self._zero_is_positive = final.zero_is_positive

    def scores(self, matrix: Matrix) -> Matrix:
        """Return the sums: n × outputs."""
        if self._single:
            matrix = matrix.astype(np.float32)
        if self._checks:
            check(matrix, nan_allowed=False)
        values = self._values.take(self.trees.leaves(matrix))
        return _sum_in_order(values.reshape(-1, self._outputs, len(matrix))).T

    def results(self, scores: Matrix) -> list[Any]:
        if self._classes is None:
            numbers = scores.ravel()
            return (np.exp(numbers) if self._exponential else numbers).tolist()
        return [self._classes[place] for place in self._places(scores).tolist()]

    def probabilities(self, scores: Matrix) -> Matrix:
        return self._link(scores)

    def _places(self, scores: Matrix) -> Any:
        if self._outputs > 1:
            return scores.argmax(axis=1)
        return (scores.ravel() >= 0 if self._zero_is_positive else scores.ravel() > 0).astype(np.intp)
