"""Decision trees: until 1.3 leaves held counts, and until 1.8 most trees refused missing values."""

from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.versions import Saved

_WITH_MISSING = {"gini", "log_loss", "entropy", "squared_error", "friedman_mse", "poisson"}


def mend_tree(tree: Any, saved: Saved) -> None:
    if not hasattr(tree, "tree_"):
        return
    if saved.before(1, 4) and hasattr(tree, "classes_"):
        _counts_to_fractions(tree.tree_.value)
    monotonic = getattr(tree, "monotonic_cst", None) is not None
    if monotonic or not took_missing(tree.criterion, tree.splitter, saved):
        refuse_missing(tree)


def mend_forest(forest: Any, saved: Saved) -> None:
    """Before 1.4 the trees of a forest might take missing values, the forest did not."""
    if saved.before(1, 4):
        for tree in getattr(forest, "estimators_", ()):
            refuse_missing(tree)


def refuse_missing(tree: Any) -> None:
    tree._support_missing_values = _never


def _never(_rows: Any) -> bool:
    return False


def _counts_to_fractions(counts: np.ndarray[Any, Any]) -> None:
    """As `predict_proba` did at every call then, by the same division."""
    totals = counts.sum(axis=-1, keepdims=True)
    totals[totals == 0.0] = 1.0
    counts /= totals


def took_missing(criterion: str, splitter: str, saved: Saved) -> bool:
    if saved.before(1, 3) or criterion not in _WITH_MISSING:
        return False
    return splitter == "best" or not saved.before(1, 6)
