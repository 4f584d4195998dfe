"""Encoders, and what stands between columns and models: attributes that came later."""

from functools import partial
from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.versions import Saved


def mend_encoder(encoder: Any, saved: Saved) -> None:
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
    if hasattr(imputer, "initial_imputer_") and not hasattr(imputer, "_is_empty_feature"):
        imputer._is_empty_feature = np.isnan(imputer.initial_imputer_.statistics_)


def refuse_changing_width(imputer: Any, saved: Saved) -> None:
    """Until 1.2 rows had no indicators if none had a missing value: their width hung on one another."""
    indicator = vars(imputer).get("indicator_")
    if saved.before(1, 3) and indicator is not None and len(indicator.features_):
        raise saved.refusal("Its KNNImputer adds indicators, then to batches with missing values only.")
