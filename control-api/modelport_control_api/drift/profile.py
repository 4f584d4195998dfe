"""What is kept of a reference: bins of each column, and how many of its rows fell into each. No row."""

from collections.abc import Mapping
from typing import Any

import msgspec
from modelport_edge.drift.bins import CategoryBins, Feature, NumberBins, ReferenceBins


class ColumnProfile(msgspec.Struct, frozen=True):
    """`position` in the file; `cells`: as `modelport_edge.drift.bins` numbers them."""

    name: str
    position: int
    bins: NumberBins | CategoryBins
    cells: list[int]


class Profile(msgspec.Struct, frozen=True):
    """`repetition`: the chance that two of its rows are equal."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    repetition: float = 0.0


class Matched(msgspec.Struct, frozen=True):
    """The columns of a profile that are features of the model, each at its position in a row.

    `unmatched`: features of the model that are no column of the reference.
    """

    columns: tuple[ColumnProfile, ...]
    positional: bool = False
    unmatched: tuple[str, ...] = ()

    def reference_bins(self, reference: str, signature: Mapping[str, Any] | None) -> ReferenceBins:
        """Give what gateways learn. `reference`: its id."""
        features = tuple(Feature(each.name, each.position, each.bins) for each in self.columns)
        return ReferenceBins(reference, features, self.positional, _predictions_of(signature))


def to_json(profile: Profile) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(profile)
    return plain


def from_json(stored: dict[str, Any]) -> Profile:
    return msgspec.convert(stored, Profile)


def match(profile: Profile, signature: Mapping[str, Any] | None) -> Matched:
    """Find the model's features among the columns: by name, or in order where the model knows no names.

    Without a signature, or with one that makes no sense, every column is a feature.
    """
    names = _feature_names(signature)
    if not names or signature is None:
        return Matched(profile.columns)
    by_name = {column.name: column for column in profile.columns}
    positional = bool(signature.get("positional"))
    if positional and not set(names) <= set(by_name) and len(profile.columns) >= len(names):
        columns = tuple(
            msgspec.structs.replace(column, position=at)
            for at, column in enumerate(profile.columns[: len(names)])
        )
        return Matched(columns, positional)
    found = tuple(
        msgspec.structs.replace(by_name[name], position=at)
        for at, name in enumerate(names)
        if name in by_name
    )
    return Matched(found, positional, tuple(name for name in names if name not in by_name))


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
