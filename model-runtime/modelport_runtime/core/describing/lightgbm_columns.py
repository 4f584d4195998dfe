"""Which columns a LightGBM booster holds to be categorical, and which categories pandas had for them.

The booster keeps pandas' categories as a list without names, in the order of the columns that had them:
also ordered ones, which LightGBM takes for numbers, and not the integers that the caller called categorical.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from modelport_runtime.core.describing.categories import kind_of_values
from modelport_runtime.core.describing.evidence import Met
from modelport_runtime.core.types import LoadError

_CATEGORICAL = re.compile(r"^\[categorical_feature: ([\d,]+)\]$", re.MULTILINE)
_MAX_ASSIGNMENTS = 20_000


@dataclass(frozen=True)
class _Info:
    """What the booster says of a column: the codes it met, None where it does not tell."""

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
    """Give what is known of the columns that are no plain numbers.

    Raises `LoadError` if the booster contradicts itself, or says too little and the sample no more.
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
    return (
        f"The booster keeps the categories of {len(categories)} columns of its training DataFrame, but does "
        f"not tell which of its {sum(info.categorical for info in infos)} categorical ones they are. {cure}."
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
    """Give (rank, columns that had the categories, in their order)."""
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
    told = _CATEGORICAL.findall(text)
    named = {int(place) for place in told[-1].split(",")} if told else set()
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
