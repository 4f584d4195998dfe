"""Boosters that other versions of XGBoost and LightGBM saved: what they lack here."""

from collections.abc import Mapping, Sequence
from typing import Any

from modelport_runtime.core.compatibility.versions import Saved, saved_by

CATEGORIES_SINCE = (3, 1)
"""XGBoost keeps a DataFrame's categories in its files."""


def is_booster(part: Any) -> bool:
    """Whether it is a model of XGBoost or LightGBM."""
    return type(part).__module__.partition(".")[0] in ("xgboost", "lightgbm")


def mend(part: Any, found: Mapping[str, str]) -> None:
    """Raises `LoadError` (LibraryMismatch) for a booster that would predict other numbers."""
    if hasattr(part, "_Booster"):
        _mend_wrapper(part)
    booster = getattr(part, "_Booster", part)
    saved = saved_by("xgboost", found)
    # What ensembles hold to fit from is a wrapper without a booster.
    if saved is not None and hasattr(booster, "feature_names"):
        require_categories(booster, saved)


def _mend_wrapper(wrapper: Any) -> None:
    """LightGBM 3 knew no number of classes where there are none, and XGBoost 1.6 no types of columns."""
    if vars(wrapper).get("_n_classes", 0) is None:
        wrapper._n_classes = -1
    if type(wrapper).__module__.partition(".")[0] == "xgboost":
        vars(wrapper).setdefault("feature_types", None)


def require_categories(booster: Any, saved: Saved) -> None:
    """Raise `LoadError` (LibraryMismatch) for a booster that has lost them."""
    names, types = booster.feature_names, booster.feature_types
    if names is not None and types is not None:
        require_kept([name for name, kind in zip(names, types, strict=False) if kind == "c"], saved)


def require_kept(categorical: Sequence[str], saved: Saved) -> None:
    """A DataFrame's categories were codes by their place until 3.0, and the places are not in the file.

    categorical: the columns that have them. Raises `LoadError` (LibraryMismatch).
    """
    if categorical and saved.before(*CATEGORIES_SINCE):
        columns = ", ".join(map(repr, categorical))
        raise saved.refusal(
            f"The categories of {columns} are not in the file, whichever version reads it: XGBoost keeps "
            "them since 3.1."
        )
