"""Trees and gradient boosting: what leaves held until 1.3, losses of its own, and a coarser start
until 1.7.
"""

from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.methods import give_methods
from modelport_runtime.core.compatibility.stand_ins import OnlyForTraining
from modelport_runtime.core.compatibility.versions import Saved


def mend_gradient_boosting(model: Any, saved: Saved) -> None:
    """Give a fitted one its loss and, until 1.7, a classifier's start of then, where they differ.

    Raises `LoadError` (LibraryMismatch) for an own class.
    """
    if not hasattr(model, "estimators_"):
        return
    if isinstance(vars(model).get("_loss"), OnlyForTraining):
        model._loss = _loss_here(model)
    if not hasattr(model, "n_trees_per_iteration_"):
        model.n_trees_per_iteration_ = model.estimators_.shape[1]
    if hasattr(model, "classes_") and saved.before(1, 8) and model.init_ != "zero":
        _start_as_then(model, saved)


def mend_histogram_gradient_boosting(model: Any, saved: Saved) -> None:
    """In 1.1 a negative category was cast to some other, now it is a missing one."""
    vars(model).setdefault("_preprocessor", None)
    categorical = vars(model).get("is_categorical_")
    if saved.before(1, 2) and categorical is not None and np.any(categorical):
        raise saved.refusal("Its histogram gradient boosting has categories, of which negative ones changed.")


def _loss_here(model: Any) -> Any:
    """Only its link is used for predictions, which the kind of the loss decides."""
    from sklearn._loss import loss

    if not hasattr(model, "classes_"):
        return loss.HalfSquaredError()
    if model.loss == "exponential":
        return loss.ExponentialLoss()
    classes = len(model.classes_)
    return loss.HalfMultinomialLoss(n_classes=classes) if classes > 2 else loss.HalfBinomialLoss()


def _start_as_then(model: Any, saved: Saved) -> None:
    if saved.before(1, 4) and len(model.classes_) > 2:
        give_methods(model, _StartWithoutCentring, saved)
    elif type(model.init_).__name__ != "DummyClassifier":
        # Shares of classes are never as close to 0 and 1 as the bound that moved.
        give_methods(model, _CoarseStart, saved)


class _CoarseStart:
    def _raw_predict_init(self: Any, rows: Any) -> Any:
        rows = self.estimators_[0, 0]._validate_X_predict(rows, check_input=True)
        return self._start(_bounded(self.init_.predict_proba(rows)))

    def _start(self: Any, shares: np.ndarray[Any, Any]) -> Any:
        if self._loss.is_multiclass:
            return self._loss.link.link(shares)
        return self._loss.link.link(shares[:, 1]).reshape(-1, 1)


class _StartWithoutCentring(_CoarseStart):
    def _start(self: Any, shares: np.ndarray[Any, Any]) -> Any:
        return np.log(shares)


def _bounded(shares: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    least = np.finfo(np.float32).eps
    bounded: np.ndarray[Any, Any] = np.clip(shares, least, 1 - least, dtype=np.float64)
    return bounded


_WITH_MISSING = {"gini", "log_loss", "entropy", "squared_error", "friedman_mse", "poisson"}


def mend_tree(tree: Any, saved: Saved) -> None:
    """Until 1.3 leaves held counts of classes: they become fractions, in place.

    Missing values are refused where the version of then refused them.
    """
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
    """Have predictions of the tree, or of a forest of such trees, raise ValueError on missing values."""
    tree._support_missing_values = _never


def _never(_rows: Any) -> bool:
    return False


def _counts_to_fractions(counts: np.ndarray[Any, Any]) -> None:
    """As `predict_proba` did at every call then, by the same division."""
    totals = counts.sum(axis=-1, keepdims=True)
    totals[totals == 0.0] = 1.0
    counts /= totals


def took_missing(criterion: str, splitter: str, saved: Saved) -> bool:
    """Whether that release trained such trees with missing values."""
    if saved.before(1, 3) or criterion not in _WITH_MISSING:
        return False
    return splitter == "best" or not saved.before(1, 6)
