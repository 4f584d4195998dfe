"""The categories that gradient boosters keep of the DataFrame columns they were trained on."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from modelport_runtime.core.signature import Column, Kind

Known = dict[int, list[Any]]


def with_booster_categories(model: Any, columns: Sequence[Column]) -> list[Column]:
    """Mark the categorical columns of a fitted wrapper or booster of XGBoost or LightGBM."""
    booster = model.get_booster() if hasattr(model, "get_booster") else getattr(model, "booster_", model)
    if hasattr(booster, "pandas_categorical"):
        # LightGBM takes an unknown category for a missing value: nothing to refuse.
        return _marked(columns, _of_lightgbm(booster), strict=False)
    if "c" in (getattr(booster, "feature_types", None) or ()):
        return _marked(columns, _of_xgboost(booster), strict=True)
    return list(columns)


def _of_lightgbm(booster: Any) -> Known:
    """Categories are listed in the order of their columns; which those are, the columns' infos tell."""
    categories = booster.pandas_categorical or []
    model = booster.dump_model(num_iteration=1)
    infos = model["feature_infos"]
    places = [i for i, name in enumerate(model["feature_names"]) if infos.get(name, {}).get("values")]
    return dict(zip(places, categories, strict=True)) if len(places) == len(categories) else {}


def _of_xgboost(booster: Any) -> Known:
    # XGBoost's own call for this needs pyarrow; the saved form has them in plain sight.
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]
    encodings = model.get("cats", {}).get("enc", [])
    return {place: _decoded(encoding) for place, encoding in enumerate(encodings) if encoding["values"]}


def _decoded(encoding: dict[str, Any]) -> list[Any]:
    """Numbers are listed as they are; strings as one run of (signed) bytes with offsets."""
    values, offsets = encoding["values"], encoding.get("offsets")
    if not offsets:
        return list(values)
    run = bytes(value & 0xFF for value in values)
    return [run[start:stop].decode() for start, stop in pairwise(offsets)]


def _marked(columns: Sequence[Column], known: Known, *, strict: bool) -> list[Column]:
    marked = list(columns)
    for place, categories in known.items():
        marked[place] = replace(
            columns[place],
            kind=_kind(categories),
            dtype="category",
            values=tuple(categories) if strict else None,
        )
    return marked


def _kind(categories: list[Any]) -> Kind:
    types = {type(value) for value in categories}
    kinds: dict[type, Kind] = {str: "string", int: "integer", bool: "boolean", float: "number"}
    return kinds.get(types.pop(), "any") if len(types) == 1 else "any"
