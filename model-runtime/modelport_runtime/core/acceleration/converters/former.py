"""What fitted estimators of earlier scikit-learn versions keep in another way, read in the present one.

An environment of such a version loads its own files, which nothing has mended. What is read wrong here does
not pass the proof.
"""

from typing import Any, Literal

import numpy as np

_Vector = np.ndarray[Any, Any]
LINKS: dict[str, Literal["identity", "logistic", "softmax"]] = {
    "BinomialDeviance": "logistic",
    "MultinomialDeviance": "softmax",
    "LeastSquaresError": "identity",
    "LeastAbsoluteError": "identity",
    "HuberLossFunction": "identity",
    "QuantileLossFunction": "identity",
}
"""What gradient boosting does with its sums, by the losses of its own that it had before 1.4."""


def missing_go_left(tree: Any) -> _Vector:
    """Return a number for each node: 1 where a missing value goes left. Before 1.3 none was taken."""
    found = getattr(tree, "missing_go_to_left", None)
    return np.zeros(tree.node_count, dtype=np.uint8) if found is None else np.asarray(found).astype(np.uint8)


def takes_missing(member: Any) -> bool:
    """Return whether a single tree predicts for missing values. Before 1.3 none did."""
    # Private, but what its own check of the input reads.
    reads = getattr(member, "_support_missing_values", None)
    return reads is not None and bool(reads(np.zeros((1, 1))))


def shares(values: _Vector) -> _Vector:
    """Return the classes' shares in each node, nodes × classes: until 1.2 trees kept counts."""
    totals = values.sum(axis=1, keepdims=True)
    if np.allclose(totals, 1.0):
        return values
    totals[totals == 0.0] = 1.0
    divided: _Vector = values / totals
    return divided


def trees_per_iteration(stage: Any) -> int:
    """Return how many trees gradient boosting grows at once: one, or one for each class."""
    found = getattr(stage, "n_trees_per_iteration_", None)
    return int(stage.estimators_.shape[1] if found is None else found)


def fill_kind(imputer: Any) -> np.dtype[Any]:
    """Return the type that a SimpleImputer fills gaps with."""
    found: np.dtype[Any] = np.dtype(getattr(imputer, "_fill_dtype", None) or imputer.statistics_.dtype)
    return found


def preprocessor(stage: Any) -> Any:
    """Return what histogram boosting puts its rows through first, None: nothing. It has one since 1.4."""
    return getattr(stage, "_preprocessor", None)


def has_codes_of_its_own(stage: Any) -> bool:
    """Return whether histogram boosting without a preprocessor looks categories up itself, as before 1.4."""
    return not hasattr(stage, "_preprocessor") and bool(np.any(getattr(stage, "is_categorical_", None)))
