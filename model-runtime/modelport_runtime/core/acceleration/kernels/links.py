"""From scores to probabilities."""

import numpy as np

from modelport_runtime.core.acceleration.kernels.checks import Matrix

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
