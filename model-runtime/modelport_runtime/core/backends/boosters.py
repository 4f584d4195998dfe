"""What native boosters have in common: one score a row for two classes, one per class for more."""

from typing import Any

import numpy as np

Scores = np.ndarray[Any, Any]


def class_of_each(scores: Scores) -> list[int]:
    """Give each row's class index: the likeliest, and class 1 only above one half, as the wrappers do."""
    classes = np.argmax(scores, axis=1) if scores.ndim == 2 else (scores > 0.5).astype(np.int64)
    listed: list[int] = classes.tolist()
    return listed


def two_columns(scores: Scores) -> Scores:
    """Give n × k probabilities; a lone score is that of class 1."""
    return scores if scores.ndim == 2 else np.column_stack([1 - scores, scores])
