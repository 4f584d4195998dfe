"""What boosters of LightGBM and XGBoost keep of their columns: which are categorical, with which
categories.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from modelport_http.wording import counted

from modelport_runtime.core.describing.evidence import NUMBER_OR_BOOLEAN, Met, kind_of_values
from modelport_runtime.core.types import LoadError

_CATEGORICAL = re.compile(r"^\[categorical_feature: ([\d,]+)\]$", re.MULTILINE)
_MAX_ASSIGNMENTS = 20_000


@dataclass(frozen=True)
class _Info:
    """What the booster stores of a column: the codes it met, None where it stores none."""

    categorical: bool
    codes: tuple[int, ...] | None

    def can_hold(self, categories: list[Any]) -> bool:
        if self.codes is None:
            return True
        return all(-1 <= code < len(categories) for code in self.codes)

    def rank(self, categories: list[Any]) -> int:
        """Columns made categorical as they are meet all of their categories."""
        exact = self.codes is None or max(self.codes, default=-1) == len(categories) - 1
        return 2 * self.categorical + exact


def lightgbm_columns(booster: Any, sample: Mapping[int, Any]) -> dict[int, Met]:
    """Return what is known of the columns that are no plain numbers.

    Raises `LoadError` if the booster contradicts itself, or stores too little and the sample shows no more.
    """
    infos = _infos(booster)
    categories: list[list[Any]] = booster.pandas_categorical or []
    ways = list(_assignments(infos, categories))
    ways = [way for way in ways if _takes(sample, way[1], categories)] or ways
    best = max((rank for rank, _ in ways), default=0)
    likeliest = [places for rank, places in ways if rank == best]
    if len(likeliest) != 1:
        raise LoadError("LoadFailed", _unclear(infos, categories, sample))
    return _columns(infos, categories, likeliest[0])


def _takes(sample: Mapping[int, Any], places: tuple[int, ...], categories: list[list[Any]]) -> bool:
    """True if the sample has categories where they would stand, and none elsewhere."""
    known = dict(zip(places, categories, strict=True))
    return bool(sample) and all(
        value in known[place] if place in known else not isinstance(value, str)
        for place, value in sample.items()
        if value is not None
    )


def _unclear(infos: list[_Info], categories: list[list[Any]], sample: Mapping[int, Any]) -> str:
    cure = (
        "Save the booster again with save_model"
        if sample
        else "Upload it with a sample row that has no nulls"
    )
    categorical = sum(info.categorical for info in infos)
    return (
        f"The booster keeps the categories of {counted(len(categories), 'column')} of its training "
        f"DataFrame, but does not tell which of its {categorical} categorical ones they are. {cure}."
    )


def _columns(infos: list[_Info], categories: list[list[Any]], places: tuple[int, ...]) -> dict[int, Met]:
    integers = {
        place: Met("integer", "float64", missing=True) for place, info in enumerate(infos) if info.categorical
    }
    # LightGBM takes an unknown category for a missing value: nothing to refuse.
    known = {
        place: Met(kind_of_values(values)[0], "category", missing=True)
        for place, values in zip(places, categories, strict=True)
    }
    return integers | known


def _assignments(infos: list[_Info], categories: list[list[Any]]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Return (rank, columns that had the categories, in their order)."""
    categorical = [place for place, info in enumerate(infos) if info.categorical]
    candidates = [place for place, info in enumerate(infos) if any(map(info.can_hold, categories))]
    if len(candidates) > len(categorical) and not _few(len(candidates), len(categories)):
        candidates = categorical
    for tried, places in enumerate(combinations(candidates, len(categories))):
        if tried == _MAX_ASSIGNMENTS:
            return
        pairs = [(infos[place], values) for place, values in zip(places, categories, strict=True)]
        if all(info.can_hold(values) for info, values in pairs):
            yield sum(info.rank(values) for info, values in pairs), places


def _few(places: int, chosen: int) -> bool:
    ways = 1
    for taken in range(chosen):
        ways = ways * (places - taken) // (taken + 1)
    return ways <= _MAX_ASSIGNMENTS


def _infos(booster: Any) -> list[_Info]:
    text = booster.model_to_string(num_iteration=1)
    (line,) = re.findall(r"^feature_infos=(.*)$", text, re.MULTILINE) or [""]
    reported = _CATEGORICAL.findall(text)
    named = {int(place) for place in reported[-1].split(",")} if reported else set()
    width = booster.num_feature()
    infos = line.split(" ") if line else ["none"] * width
    return [_info(info, place in named) for place, info in enumerate(infos)]


def _info(info: str, named: bool) -> _Info:
    """`-1:3:0:1` lists codes, `[0.5:2]` is a range of numbers, `none` a column that is constant."""
    if info == "none":
        return _Info(named, None if named else ())
    if not info.startswith("["):
        return _Info(True, tuple(int(code) for code in info.split(":")))
    low, high = (float(end) for end in info[1:-1].split(":"))
    whole = low.is_integer() and high.is_integer() and low >= -1
    return _Info(named, (int(low), int(high)) if whole else (2**62,))


_CODES = Met("integer", "float64", missing=True)
_FLAG = Met("any", NUMBER_OR_BOOLEAN.dtype, missing=True)


def xgboost_columns(booster: Any, sample: Mapping[int, Any]) -> dict[int, Met]:
    """Return what is known of the columns that are no plain numbers.

    Raises `LoadError` where a DataFrame's categories are lost, unless the sample has their codes.
    """
    types = list(enumerate(booster.feature_types or ()))
    flags = {place: _FLAG for place, reported in types if reported == "i"}
    codes = {place: _CODES for place, reported in types if reported == "c"}
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


def xgboost_missing(booster: Any) -> float:
    """Return what number stands for a missing value; NaN: none does.

    Wrappers of XGBoost 1 write all of their settings into their native files, later ones do not.
    """
    try:
        marker = json.loads(booster.attr("scikit_learn") or "{}").get("missing")
        return math.nan if marker is None else float(marker)
    except (AttributeError, TypeError, ValueError, OverflowError):
        return math.nan


def has_booster(estimator: Any) -> bool:
    """Whether the estimator is a fitted wrapper around a booster."""
    return hasattr(estimator, "get_booster") or hasattr(
        getattr(estimator, "booster_", None), "pandas_categorical"
    )


def booster_columns(estimator: Any, sample: Mapping[int, Any]) -> dict[int, Met]:
    """Return what a wrapper's booster stores of columns that are no plain numbers. Raises `LoadError`."""
    if hasattr(estimator, "get_booster"):
        return xgboost_columns(estimator.get_booster(), sample)
    return lightgbm_columns(estimator.booster_, sample)
