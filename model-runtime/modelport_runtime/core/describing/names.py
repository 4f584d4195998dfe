"""The names of the columns that a model was trained on, wherever it keeps them."""

from collections.abc import Iterator
from typing import Any

from modelport_runtime.core.describing.structure import handed_rows


def feature_names(estimator: Any) -> list[str] | None:
    """Give the column names that it, or anything in it that sees the rows, was fitted with."""
    for candidate in handed_rows(estimator):
        for names in _names_in(candidate):
            return names
    return None


def width(estimator: Any) -> int | None:
    """Give the number of columns, None if nothing in it knows."""
    for candidate in handed_rows(estimator):
        found = getattr(candidate, "n_features_in_", None)
        if found is not None:
            return int(found)
    return None


def lightgbm_names(booster: Any) -> list[str] | None:
    """Give the names of a LightGBM booster, None for those that it makes up for the columns of an array."""
    names = [str(name) for name in booster.feature_name()]
    return None if names == [f"Column_{place}" for place in range(len(names))] else names


def blanks_are_lost(estimator: Any) -> bool:
    """True if the names are LightGBM's, which writes `_` for a blank."""
    found = feature_names(estimator)
    boosters = (getattr(candidate, "booster_", None) for candidate in handed_rows(estimator))
    return any(hasattr(one, "pandas_categorical") and lightgbm_names(one) == found for one in boosters)


def _names_in(estimator: Any) -> Iterator[list[str]]:
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        yield [str(name) for name in names]
    # Pickles of LightGBM before 4.7 have lost theirs, but not the booster's.
    booster = getattr(estimator, "booster_", None)
    if hasattr(booster, "feature_name") and (kept := lightgbm_names(booster)) is not None:
        yield kept
    if hasattr(estimator, "get_booster") and (kept := estimator.get_booster().feature_names) is not None:
        yield [str(name) for name in kept]
