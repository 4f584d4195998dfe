"""The boosters inside the wrappers of XGBoost and LightGBM."""

from collections.abc import Mapping
from typing import Any

from modelport_runtime.core.describing.evidence import Met
from modelport_runtime.core.describing.lightgbm_columns import lightgbm_columns
from modelport_runtime.core.describing.xgboost_columns import xgboost_columns


def has_booster(estimator: Any) -> bool:
    return hasattr(estimator, "get_booster") or hasattr(
        getattr(estimator, "booster_", None), "pandas_categorical"
    )


def booster_columns(estimator: Any, sample: Mapping[int, Any]) -> dict[int, Met]:
    """Give what the booster of a wrapper says of columns that are no plain numbers. Raises `LoadError`."""
    if hasattr(estimator, "get_booster"):
        return xgboost_columns(estimator.get_booster(), sample)
    return lightgbm_columns(estimator.booster_, sample)
