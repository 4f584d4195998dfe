"""What stands between columns and models: encoders' later attributes, and selectors of columns."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.methods import give_methods
from modelport_runtime.core.compatibility.trees import took_missing
from modelport_runtime.core.compatibility.versions import Saved


def mend_encoder(encoder: Any, saved: Saved) -> None:
    """Set what later versions look up in a fitted one.

    Raises `LoadError` (LibraryMismatch) for a OneHotEncoder that drops a category and groups rare ones.
    """
    given = vars(encoder)
    if "categories_" not in given:
        return
    given.setdefault("_infrequent_enabled", False)
    if "drop_idx_" in given and "_drop_idx_after_grouping" not in given:
        if given["_infrequent_enabled"] and given["drop_idx_"] is not None:
            raise saved.refusal("Its OneHotEncoder drops a column and groups rare categories.")
        encoder._drop_idx_after_grouping = encoder.drop_idx_


def mend_column_transformer(transformer: Any, _saved: Saved) -> None:
    """Until 1.3 columns that pass through had a word where there is a transformer now."""
    if hasattr(transformer, "transformers_"):
        transformer.transformers_ = [
            (name, _passing(transformer, name) if _is_passed(step) else step, columns)
            for name, step, columns in transformer.transformers_
        ]


def _is_passed(step: Any) -> bool:
    return isinstance(step, str) and step == "passthrough"


def _passing(transformer: Any, name: str) -> Any:
    from sklearn.preprocessing import FunctionTransformer

    passing = FunctionTransformer(accept_sparse=True, check_inverse=False, feature_names_out="one-to-one")
    places = list(vars(transformer).get("_transformer_to_input_indices", {}).get(name, ()))
    passing.n_features_in_ = len(places)
    if "feature_names_in_" in vars(transformer):
        passing.feature_names_in_ = transformer.feature_names_in_[places]
    wanted = vars(transformer).get("_sklearn_output_config", {}).get("transform")
    return passing if wanted is None else passing.set_output(transform=wanted)


def mend_function(transformer: Any, _saved: Saved) -> None:
    """Histogram gradient boosting of 1.4 and 1.5 reads numbers by a call whose keyword was renamed."""
    function = vars(transformer).get("func")
    if isinstance(function, partial) and "force_all_finite" in function.keywords:
        keywords = dict(function.keywords)
        keywords["ensure_all_finite"] = keywords.pop("force_all_finite")
        transformer.func = partial(function.func, *function.args, **keywords)


def mend_splines(transformer: Any, _saved: Saved) -> None:
    """SciPy keeps another state in its splines now."""
    if not hasattr(transformer, "bsplines_"):
        return
    from scipy.interpolate import BSpline

    states = [vars(spline) for spline in transformer.bsplines_]
    if all({"t", "c", "k"} <= state.keys() for state in states):
        transformer.bsplines_ = [
            BSpline(state["t"], state["c"], state["k"], state.get("extrapolate", True), state.get("axis", 0))
            for state in states
        ]


def mend_iterative_imputer(imputer: Any, _saved: Saved) -> None:
    """Note which columns were empty in training, as later versions do at fit."""
    if hasattr(imputer, "initial_imputer_") and not hasattr(imputer, "_is_empty_feature"):
        imputer._is_empty_feature = np.isnan(imputer.initial_imputer_.statistics_)


def refuse_changing_width(imputer: Any, saved: Saved) -> None:
    """Until 1.2 rows had no indicators if none had a missing value: their width hung on one another."""
    indicator = vars(imputer).get("indicator_")
    if saved.before(1, 3) and indicator is not None and len(indicator.features_):
        raise saved.refusal("Its KNNImputer adds indicators, then to batches with missing values only.")


_L1 = 1e-5
"""The default threshold where the penalty makes coefficients zero."""


def mend_selector(selector: Any, saved: Saved) -> None:
    """Whether it takes missing values it reads from the estimator, which may have learned that since."""
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
"""The others mean today what they meant then."""


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
