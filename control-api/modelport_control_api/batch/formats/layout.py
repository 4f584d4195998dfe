"""What columns a version takes, and which of a table's the model gets."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from modelport_http.wording import counted

from modelport_control_api.batch.formats.limits import InputInvalid, require_names


@dataclass(frozen=True, slots=True)
class InputColumn:
    """`kind`: number, integer, boolean, string, any or tensor. `values`: all that the model knows.
    `dtype`: what it is to the model, as NumPy names it."""

    name: str
    kind: str
    optional: bool
    values: tuple[Any, ...] | None = None
    dtype: str = ""

    @property
    def is_plain_number(self) -> bool:
        """Whether it may stand in a matrix that is sent to a pod (docs/contracts.md)."""
        return (self.kind, self.dtype, self.values) == ("number", "float64", None)


@dataclass(frozen=True, slots=True)
class InputSignature:
    """`columns` None: even the width is unknown, rows pass as they are. `positional`: names mean nothing."""

    columns: tuple[InputColumn, ...] | None = None
    positional: bool = False
    takes_text: bool = False
    outputs: tuple[str, ...] = ("prediction",)
    classes: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns or ())

    @classmethod
    def read(cls, signature: Mapping[str, Any] | None) -> "InputSignature":
        """A malformed one means "rows as they are": the version itself reports what it refuses."""
        try:
            return cls._read(signature or {})
        except (KeyError, TypeError, AttributeError):
            return cls()

    @classmethod
    def _read(cls, signature: Mapping[str, Any]) -> "InputSignature":
        described = signature.get("columns")
        return cls(
            columns=None if described is None else tuple(_column(each) for each in described),
            positional=bool(signature.get("positional")),
            takes_text=signature.get("input") == "text",
            outputs=tuple(map(str, signature.get("outputs") or ("prediction",))),
            classes=len(signature.get("classes") or ()),
        )


def _column(described: Mapping[str, Any]) -> InputColumn:
    values = described.get("values")
    return InputColumn(
        name=str(described["name"]),
        kind=str(described["kind"]),
        optional=bool(described["optional"]),
        values=None if values is None else tuple(values),
        dtype=str(described.get("dtype", "")),
    )


_TEXT = InputColumn("text", "string", optional=False)
_MANY = 20


@dataclass(frozen=True, slots=True)
class Feature:
    """`place`: its column in the table; None: the table has none, and the model can do without."""

    place: int | None
    column: InputColumn


@dataclass(frozen=True, slots=True)
class Layout:
    """`named`: a row is sent as an object of its columns, `single`: as its one cell; else as a list."""

    features: tuple[Feature, ...]
    keys: dict[str, int]
    named: bool = False
    single: bool = False

    @property
    def is_matrix(self) -> bool:
        """Whether a pod can be sent the numbers alone."""
        columns = [feature.column for feature in self.features]
        return (
            not (self.named or self.single)
            and bool(columns)
            and all(each.is_plain_number for each in columns)
        )


def keeps_all(key_columns: Sequence[str] | None) -> bool:
    """Return whether all columns stand beside the results, also those that the model takes."""
    return key_columns is not None and list(key_columns) == ["*"]


def lay_out(names: Sequence[str], signature: InputSignature, key_columns: Sequence[str] | None) -> Layout:
    """`key_columns` None: the keys are all columns that the model does not take. Raises `InputInvalid`."""
    if keeps_all(key_columns):
        layout = lay_out(names, signature, None)
        return replace(layout, keys={name: place for place, name in enumerate(names)})
    _check_names(names, key_columns)
    places = {name: place for place, name in enumerate(names)}
    keys = None if key_columns is None else {name: places[name] for name in key_columns}
    if signature.takes_text:
        return _of_text(places, keys)
    if signature.columns is None:
        others = [name for name in names if name not in (keys or {})]
        features = tuple(Feature(places[name], InputColumn(name, "any", optional=True)) for name in others)
        return Layout(features, keys or {}, named=True)
    if signature.positional and not places.keys() >= set(signature.names):
        return _by_position(places, keys or {}, signature.columns)
    return _by_name(places, keys, signature.columns)


def _of_text(places: dict[str, int], keys: dict[str, int] | None) -> Layout:
    others = [name for name in places if name not in (keys or {})]
    named = [name for name in ("text", "input") if name in others]
    chosen = others[:1] if len(others) == 1 else named[:1]
    if not chosen:
        raise InputInvalid(
            f"The model takes texts, and which of the columns {_listed(others)} holds them is not clear: "
            "name it text, or name all the others in key_columns."
        )
    rest = {name: place for name, place in places.items() if name != chosen[0]}
    feature = Feature(places[chosen[0]], _TEXT)
    return Layout((feature,), rest if keys is None else keys, single=True)


def _by_position(places: dict[str, int], keys: dict[str, int], columns: tuple[InputColumn, ...]) -> Layout:
    others = [name for name in places if name not in keys]
    if len(others) != len(columns):
        raise InputInvalid(
            f"The input has {counted(len(others), 'column')} beside its key columns, but the model takes "
            f"{len(columns)}, by position: name the columns that only identify a row in key_columns."
        )
    features = zip(others, columns, strict=True)
    return Layout(tuple(Feature(places[name], column) for name, column in features), keys)


def _by_name(places: dict[str, int], keys: dict[str, int] | None, columns: tuple[InputColumn, ...]) -> Layout:
    missing = [column.name for column in columns if column.name not in places and not column.optional]
    if missing:
        raise InputInvalid(
            f"The input lacks the columns {_listed(missing)}, which the model takes; it has "
            f"{_listed(places)}. A table's first line names its columns."
        )
    taken = {column.name for column in columns}
    others = {name: place for name, place in places.items() if name not in taken}
    features = tuple(Feature(places.get(column.name), column) for column in columns)
    return Layout(features, others if keys is None else keys)


def _check_names(names: Sequence[str], key_columns: Sequence[str] | None) -> None:
    require_names(names)
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise InputInvalid(f"The input has several columns of the name {_listed(twice)}: rename them.")
    known = set(names)
    unknown = [name for name in key_columns or () if name not in known]
    if unknown:
        raise InputInvalid(f"key_columns names {_listed(unknown)}, but the input has {_listed(names)}.")


def _listed(names: Sequence[str] | dict[str, int]) -> str:
    shown = ", ".join(repr(name[:100]) for name in list(names)[:_MANY])
    return shown + (", …" if len(names) > _MANY else "")
