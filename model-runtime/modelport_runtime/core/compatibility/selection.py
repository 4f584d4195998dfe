"""Selectors of columns: whether they took missing values, and from which importance on they keep a column."""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.overriding import give_methods
from modelport_runtime.core.compatibility.trees import took_missing
from modelport_runtime.core.compatibility.versions import Saved

_L1 = 1e-5
"""The default threshold where the penalty makes coefficients zero."""


def mend_selector(selector: Any, saved: Saved) -> None:
    """Whether it takes missing values it asks the estimator, which may have learnt that since."""
    estimator = vars(selector).get("estimator")
    if estimator is not None and not _took_missing(estimator, saved):
        give_methods(selector, _OnlyFinite, saved)


def mend_threshold(selector: Any, saved: Saved) -> None:
    """Until 1.7 the default went by other attributes of the estimator."""
    if saved.before(1, 8) and vars(selector).get("threshold", "") is None:
        estimator = vars(selector).get("estimator_", selector.estimator)
        selector.threshold = _L1 if _is_sparse(estimator, saved) else "mean"


class _OnlyFinite:
    def __sklearn_tags__(self: Any) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # of the estimator that this is mixed into
        tags.input_tags.allow_nan = False
        return tags


def _took_missing(estimator: Any, saved: Saved) -> bool:
    for kind in type(estimator).__mro__:
        if kind.__name__ in _TOOK_MISSING:
            return _TOOK_MISSING[kind.__name__](estimator, saved)
    return True


def _tree(tree: Any, saved: Saved) -> bool:
    return took_missing(tree.criterion, tree.splitter, saved)


def _forest(forest: Any, saved: Saved) -> bool:
    splitter = "random" if "ExtraTrees" in type(forest).__name__ else "best"
    return not saved.before(1, 4) and took_missing(forest.criterion, splitter, saved)


def _bagging(bagging: Any, saved: Saved) -> bool:
    inner = vars(bagging).get("estimator") or vars(bagging).get("base_estimator")
    if saved.before(1, 3) or isinstance(inner, str):
        return False
    return inner is None or _took_missing(inner, saved)


def _several(ensemble: Any, saved: Saved) -> bool:
    inner = [one for _, one in ensemble.estimators if not isinstance(one, str)]
    return not saved.before(1, 4) and all(_took_missing(one, saved) for one in inner)


_TOOK_MISSING: dict[str, Callable[[Any, Saved], bool]] = {
    "BaseDecisionTree": _tree,
    "BaseForest": _forest,
    "BaseBagging": _bagging,
    "_BaseHeterogeneousEnsemble": _several,
    "IsolationForest": lambda _, saved: not saved.before(1, 6),
}
"""The others say today what they said then."""


def _is_sparse(estimator: Any, saved: Saved) -> bool:
    name = type(estimator).__name__
    if vars(estimator).get("penalty") == "l1" or "Lasso" in name:
        return True
    if saved.before(1, 7) and "ElasticNet" in name:
        return any(_is_one(estimator, ratio) for ratio in ("l1_ratio_", "l1_ratio"))
    ratio = {"ElasticNet": "l1_ratio", "ElasticNetCV": "l1_ratio_"}.get(name)
    return ratio is not None and _is_one(estimator, ratio)


def _is_one(estimator: Any, ratio: str) -> bool:
    return bool(np.all(np.isclose(vars(estimator).get(ratio, np.nan), 1.0)))
