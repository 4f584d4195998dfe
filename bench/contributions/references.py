"""What others say of a fitted model's rows: n × outputs × (columns + 1), the base last."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shap


def trees(model: Any, data: Any) -> Any:
    """Path-dependent TreeSHAP, without background data."""
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    values = np.asarray(explainer.shap_values(data, check_additivity=False))
    return _with_base(values, explainer.expected_value)


def lines(model: Any, data: Any, background: Any) -> Any:
    explainer = shap.LinearExplainer(model, background)
    return _with_base(np.asarray(explainer.shap_values(data)), explainer.expected_value)


def xgboost(model: Any, data: Any) -> Any:
    import xgboost as library

    booster = model.get_booster() if hasattr(model, "get_booster") else model
    values = booster.predict(library.DMatrix(data), pred_contribs=True, strict_shape=True)
    return np.asarray(values, dtype=np.float64)


def lightgbm(model: Any, data: Any) -> Any:
    values = np.asarray(model.predict(data, pred_contrib=True))
    return values.reshape(len(data), -1, data.shape[1] + 1)


def catboost(model: Any, data: Any) -> Any:
    import catboost as library

    values = np.asarray(model.get_feature_importance(library.Pool(data), type="ShapValues"))
    return values[:, None] if values.ndim == 2 else values


def by_input(terms: Any, places: Sequence[int], width: int) -> Any:
    """Add up the columns that preprocessing made of one input column; `places`: of which each is."""
    summed = np.zeros((*terms.shape[:2], width + 1))
    for made, place in enumerate(places):
        summed[..., place] += terms[..., made]
    summed[..., -1] = terms[..., -1]
    return summed


def _with_base(values: Any, base: Any) -> Any:
    values = values[:, None] if values.ndim == 2 else values.transpose(0, 2, 1)
    bases = np.broadcast_to(np.atleast_1d(base)[None, -values.shape[1] :, None], (*values.shape[:2], 1))
    return np.concatenate([values, bases], axis=2)
