"""Linear models, and from scores to probabilities."""

import math
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.kernels.steps import Matrix, check

_LARGEST_EXPONENT = 709.0
"""Beyond, exp is infinite."""


def logistic(scores: Matrix) -> Matrix:
    """1 / (1 + e^-x), without overflow."""
    return 1.0 / (1.0 + np.exp(np.minimum(-scores, _LARGEST_EXPONENT)))


def two_classes(scores: Matrix) -> Matrix:
    """n × 1 scores of the second class → n × 2 probabilities."""
    positive = logistic(scores)
    return np.concatenate((1.0 - positive, positive), axis=1)


def softmax(scores: Matrix) -> Matrix:
    """n × k scores → n × k probabilities."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: Matrix = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def one_versus_rest(scores: Matrix) -> Matrix:
    """n × k scores, each of a class against all others → n × k probabilities; equal ones if all are 0."""
    each = logistic(scores)
    total = each.sum(axis=1, keepdims=True)
    return np.where(total == 0, 1.0 / scores.shape[1], each / np.where(total == 0, 1.0, total))


class _Scores:
    trees = None

    def __init__(self, coefficients: Matrix, intercepts: Any) -> None:
        self._coefficients = coefficients
        self._intercepts = intercepts

    def scores(self, matrix: Matrix) -> Matrix:
        """n × width → n × k."""
        scores: Matrix = matrix @ self._coefficients + self._intercepts
        # Whatever is not finite in a row makes all of its scores so: 0 · infinity is NaN.
        if not math.isfinite(np.add.reduce(scores, axis=None)):
            check(matrix, nan_allowed=False)
        return scores


class LinearClassifier(_Scores):
    def __init__(self, final: plan.LinearClassifier) -> None:
        super().__init__(final.coefficients.unpack(), final.intercepts.unpack())
        self._classes = final.classes
        self._binary = final.coefficients.shape[1] == 1
        many = {"softmax": softmax, "one_versus_rest": one_versus_rest}
        self._link = two_classes if self._binary else many.get(final.link)

    def results(self, scores: Matrix) -> list[Any]:
        classes = self._classes
        if self._binary:
            return [classes[score > 0] for score in scores.ravel().tolist()]
        return [classes[place] for place in scores.argmax(axis=1).tolist()]

    def probabilities(self, scores: Matrix) -> Matrix:
        assert self._link is not None  # noqa: S101  # the signature offers none without a link
        return self._link(scores)


class LinearRegressor(_Scores):
    def __init__(self, final: plan.LinearRegressor) -> None:
        super().__init__(final.coefficients.unpack(), final.intercept)

    def results(self, scores: Matrix) -> list[Any]:
        return scores.ravel().tolist()

    def probabilities(self, scores: Matrix) -> Matrix:
        raise TypeError("a regressor has no probabilities")
