"""What is kept of a reference: bins of each column, and how many of its rows fell into each. No row."""

from collections.abc import Mapping
from itertools import accumulate
from math import prod
from typing import Any

import msgspec
from modelport_telemetry.drift.bins import (
    FIRST_BIN,
    UNKNOWN,
    CategoryBins,
    Feature,
    NumberBins,
    ReferenceBins,
)

from modelport_control_api.drift.effective import SELDOM

_GOLDEN = (5**0.5 - 1) / 2
_NO_NUMBER = -0.25
"""The score of a missing or an ill-typed value: apart from all numbers."""


class ColumnProfile(msgspec.Struct, frozen=True):
    """`position` in the file; `cells`: as `modelport_telemetry.drift.bins` numbers them.

    `usual`: as `Feature` has it. `repetition`: the chance that two rows have the same value here.
    `unknown`: the share of new rows that `UNKNOWN` will count, although nothing changes. `hours`: the cells
    of each hour of the day (UTC), where the file has a column of times; `weekend`: what of them is of
    Saturdays and Sundays.
    """

    name: str
    position: int
    bins: NumberBins | CategoryBins
    cells: list[int]
    usual: tuple[float, ...] = ()
    repetition: float = 0.0
    unknown: float = 0.0
    hours: dict[int, list[int]] = {}
    weekend: dict[int, list[int]] = {}


class Profile(msgspec.Struct, frozen=True):
    """`repetition`: the chance that two rows are equal in all columns whose values often are.

    `time_column`: by which the columns know their hours.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]
    repetition: float = 0.0
    time_column: str | None = None

    @property
    def weekend_rows(self) -> int:
        """Rows of the reference from weekends; 0 where it has no times."""
        return max((sum(map(sum, column.weekend.values())) for column in self.columns), default=0)


class Matched(msgspec.Struct, frozen=True):
    """The columns of a profile that are features of the model, each at its position in a row.

    `repetition`: the chance that two rows are equal in all of them. `unmatched`: features of the model that
    are no column of the reference.
    """

    columns: tuple[ColumnProfile, ...]
    repetition: float = 0.0
    positional: bool = False
    unmatched: tuple[str, ...] = ()

    def reference_bins(self, reference: str, signature: Mapping[str, Any] | None) -> ReferenceBins:
        """Return what gateways learn. `reference`: its id."""
        features = tuple(
            Feature(each.name, each.position, each.bins, usual(each), scores(each)) for each in self.columns
        )
        return ReferenceBins(reference, features, self.positional, _predictions_of(signature))


def scores(column: ColumnProfile) -> tuple[float, ...]:
    """Return each cell a number, so that runs of like values have like means, as blocks need it.

    Of numbers it is the middle of the cell's ranks; of categories, which have no order, anything will do that
    differs from one to the next.
    """
    if isinstance(column.bins, CategoryBins):
        return tuple(index * _GOLDEN % 1 for index in range(len(column.cells)))
    known = column.cells[FIRST_BIN:]
    below = [0, *accumulate(known)]
    middles = tuple((below[at] + count / 2) / max(1, below[-1]) for at, count in enumerate(known))
    return (_NO_NUMBER,) * FIRST_BIN + middles


def usual(column: ColumnProfile) -> tuple[float, ...]:
    """Return the shares of cells' most frequent values from which on copies of a row are needless.

    Values that are missing, or not of the feature's few, are all alike by nature: copies of them are none.
    """
    if not column.usual:
        return ()
    is_varied = isinstance(column.bins, CategoryBins) and column.repetition < SELDOM
    return (1.0, column.usual[UNKNOWN] if is_varied else 1.0, *column.usual[FIRST_BIN:])


def to_json(profile: Profile) -> dict[str, Any]:
    """Return the profile as the database stores it."""
    plain: dict[str, Any] = msgspec.to_builtins(profile, str_keys=True)
    return plain


def size_of(profile: Profile) -> int:
    """In bytes, as it is stored."""
    return len(msgspec.json.encode(profile))


def from_json(stored: dict[str, Any]) -> Profile:
    """Read what `to_json` returned."""
    return msgspec.convert(stored, Profile, str_keys=True)


def match(profile: Profile, signature: Mapping[str, Any] | None) -> Matched:
    """Find the model's features among the columns: by name, or in order where the model knows no names.

    A model of texts has one, the column `text`, or else the first. Without a signature, or with one that
    makes no sense, every column is a feature.
    """
    if (signature or {}).get("input") == "text":
        return _matched(profile, _text_column(profile), positional=True)
    names = _feature_names(signature)
    if not names or signature is None:
        return _matched(profile, profile.columns)
    by_name = {column.name: column for column in profile.columns}
    positional = bool(signature.get("positional"))
    if positional and not set(names) <= set(by_name) and len(profile.columns) >= len(names):
        columns = tuple(
            msgspec.structs.replace(column, position=at)
            for at, column in enumerate(profile.columns[: len(names)])
        )
        return _matched(profile, columns, positional=True)
    found = tuple(
        msgspec.structs.replace(by_name[name], position=at)
        for at, name in enumerate(names)
        if name in by_name
    )
    unmatched = tuple(name for name in names if name not in by_name)
    return _matched(profile, found, positional=positional, unmatched=unmatched)


def _matched(
    profile: Profile,
    columns: tuple[ColumnProfile, ...],
    *,
    positional: bool = False,
    unmatched: tuple[str, ...] = (),
) -> Matched:
    seldom = (column.repetition for column in columns if column.repetition < SELDOM)
    return Matched(columns, profile.repetition * prod(seldom), positional, unmatched)


def _text_column(profile: Profile) -> tuple[ColumnProfile, ...]:
    named = [column for column in profile.columns if column.name == "text"]
    return tuple(
        msgspec.structs.replace(column, position=0) for column in (named or list(profile.columns))[:1]
    )


def _feature_names(signature: Mapping[str, Any] | None) -> list[str]:
    columns = (signature or {}).get("columns")
    try:
        # The runtime's word, and so untrusted.
        return [str(column["name"]) for column in columns or () if column["kind"] != "tensor"]
    except (KeyError, TypeError):
        return []


def _predictions_of(signature: Mapping[str, Any] | None) -> Any:
    task = (signature or {}).get("task")
    if task in {"classifier", "clusterer", "outlier"}:
        return "classes"
    return "numbers" if task == "regressor" else "any"
