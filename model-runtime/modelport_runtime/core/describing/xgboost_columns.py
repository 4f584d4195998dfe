"""What an XGBoost booster keeps of its columns: their types, and the categories of a DataFrame's."""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from modelport_runtime.core.describing.categories import kind_of_values
from modelport_runtime.core.describing.evidence import NUMBER_OR_BOOLEAN, Met
from modelport_runtime.core.types import LoadError

_CODES = Met("integer", "float64", missing=True)
_FLAG = Met("any", NUMBER_OR_BOOLEAN.dtype, missing=True)


def xgboost_columns(booster: Any, sample: Mapping[int, Any]) -> dict[int, Met]:
    """Give what is known of the columns that are no plain numbers.

    Raises `LoadError` where a DataFrame's categories are lost, unless the sample has their codes.
    """
    types = list(enumerate(booster.feature_types or ()))
    flags = {place: _FLAG for place, told in types if told == "i"}
    codes = {place: _CODES for place, told in types if told == "c"}
    known = {place: _known(values) for place, values in _categories(booster, codes).items()}
    _require_codes(booster, [place for place in codes if place not in known], sample)
    return flags | codes | known


def _require_codes(booster: Any, places: list[int], sample: Mapping[int, Any]) -> None:
    """A booster of an array was trained on codes; of a DataFrame, those hang on categories."""
    if booster.feature_names is None or all(type(sample.get(place)) is int for place in places):
        return
    columns = ", ".join(repr(booster.feature_names[place]) for place in places)
    raise LoadError(
        "LibraryMismatch",
        f"The booster does not hold the categories of {columns}: XGBoost keeps them since 3.1. Train it with "
        "that or a later version. If it was trained on whole numbers, upload it with a sample that has them.",
    )


def _known(categories: list[Any]) -> Met:
    return Met(kind_of_values(categories)[0], "category", missing=True, values=tuple(categories))


def _categories(booster: Any, categorical: dict[int, Met]) -> dict[int, list[Any]]:
    if not categorical:
        return {}
    # XGBoost's own call for this needs pyarrow; the saved form has them in plain sight.
    held = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    encodings = held.get("gbtree", held).get("model", {}).get("cats", {}).get("enc", [])
    return {place: _decoded(encoding) for place, encoding in enumerate(encodings) if encoding["values"]}


def _decoded(encoding: dict[str, Any]) -> list[Any]:
    """Numbers are listed as they are; strings as one run of (signed) bytes with offsets."""
    values, offsets = encoding["values"], encoding.get("offsets")
    if not offsets:
        return list(values)
    run = bytes(value & 0xFF for value in values)
    return [run[start:stop].decode() for start, stop in pairwise(offsets)]
