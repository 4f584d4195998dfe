"""One row for several members: the union of their columns, each as strict as the strictest of them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Literal

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.signature import Column, Signature, is_date
from modelport_runtime.core.types import LoadError

_NUMBERS = ("number", "integer", "boolean")
"""From the one that takes most to the one that takes least."""
_MOST_SHOWN = 10


@dataclass(frozen=True)
class Taker:
    """What takes rows, as messages call it, and what it takes of them.

    given: columns that come from elsewhere than the row. blanks_are_lost: its names have `_` for blanks.
    """

    label: str
    signature: Signature
    given: Collection[str] = ()
    blanks_are_lost: bool = False

    @property
    def own(self) -> tuple[Column, ...]:
        """The columns that it takes of the row."""
        return tuple(column for column in self.signature.columns or () if column.name not in self.given)


@dataclass(frozen=True)
class Rows:
    """What a row of all takers is."""

    columns: tuple[Column, ...] | None
    positional: bool
    input: Literal["rows", "text"]
    places: tuple[Mapping[str, int] | None, ...]
    """Of each taker, where its columns stand, by its own names for them; None: it gets rows as they are."""

    def on(self, signature: Signature) -> Signature:
        """Return the signature with these columns, and what is said of its own input left out."""
        return replace(
            signature,
            columns=self.columns,
            positional=self.positional,
            input=self.input,
            tensors_in=None,
            tensors_out=None,
        )


def mismatch(what: str, cure: str) -> LoadError:
    """Return the error for members that cannot be joined, in two sentences."""
    return LoadError("MembersMismatch", f"{what} {cure}")


def united(takers: Sequence[Taker]) -> Rows:
    """Return the rows that all of them can be fed from. Raises `LoadError` (MembersMismatch)."""
    if len({taker.signature.input for taker in takers}) > 1:
        texts = next(taker for taker in takers if taker.signature.input == "text")
        rows = next(taker for taker in takers if taker.signature.input != "text")
        raise mismatch(
            f"Texts are what {texts.label} takes, and rows of columns {rows.label}.",
            "Join models of one kind of input.",
        )
    undescribed = [taker for taker in takers if taker.signature.columns is None]
    if not undescribed:
        return _of_columns(takers)
    if len(undescribed) < len(takers):
        raise mismatch(
            f"{undescribed[0].label} does not say which columns it takes.",
            "Upload it with a sample that has its columns by name, and make the ensemble of that version.",
        )
    return Rows(None, positional=False, input=takers[0].signature.input, places=(None,) * len(takers))


def picker(places: Sequence[int], width: int) -> Callable[[Any], Any]:
    """Return what takes of rows of so many values those at the places, in that order."""
    if list(places) == list(range(width)):
        return lambda rows: rows
    if len(places) == 1:
        pick: Callable[[Any], Any] = lambda row: [row[places[0]]]  # noqa: E731  # one of two
    else:
        pick = itemgetter(*places)
    listed = list(places)
    return lambda rows: rows[:, listed] if isinstance(rows, np.ndarray) else [pick(row) for row in rows]


def _of_columns(takers: Sequence[Taker]) -> Rows:
    spelled = _spelled([taker for taker in takers if not taker.blanks_are_lost])
    found = [_Found(taker, spelled) for taker in takers]
    named = [each for each in found if not each.taker.signature.positional]
    others = [each for each in found if each.taker.signature.positional]
    if not others:
        return _by_name(found)
    if named and len({each.names for each in named}) > 1:
        raise mismatch(
            f"{others[0].label} knows its columns by their places alone, and {named[0].label} and others "
            "have other columns, or in another order.",
            "Train it on a DataFrame with the columns' names, or upload it with a sample that has them.",
        )
    first = (named or others)[0]
    for each in others:
        _require_width(each, first)
    return _by_place(found, first)


class _Found:
    """A taker's columns of the row, by the names that the others have for them."""

    def __init__(self, taker: Taker, spelled: Mapping[str, str]) -> None:
        self.taker, self.label = taker, taker.label
        self.names = tuple(
            spelled.get(column.name, column.name) if taker.blanks_are_lost else column.name
            for column in taker.own
        )
        self.columns = tuple(
            replace(column, name=name) for column, name in zip(taker.own, self.names, strict=True)
        )

    def places(self, names: Iterable[str]) -> dict[str, int]:
        """Return where each stands among these names, by the taker's own name for it."""
        place_of = {name: place for place, name in enumerate(names)}
        return {column.name: place_of[name] for column, name in zip(self.taker.own, self.names, strict=True)}


def _require_width(found: _Found, first: _Found) -> None:
    width, wanted = len(found.columns), len(first.columns)
    if width != wanted:
        raise mismatch(
            f"{first.label} takes {counted(wanted, 'value')} a row, and {found.label} {width}, "
            "by their places alone.",
            "Train it on a DataFrame with the columns' names, or on the same columns.",
        )


def _by_place(found: Sequence[_Found], first: _Found) -> Rows:
    columns = list(first.columns)
    for each in found:
        for place, column in enumerate(each.columns):
            columns[place] = _both(columns[place], column, first.taker, each.taker)
    places = tuple(each.places(each.names) for each in found)
    return Rows(tuple(columns), positional=first.taker.signature.positional, input="rows", places=places)


def _by_name(found: Sequence[_Found]) -> Rows:
    columns: dict[str, tuple[Column, Taker]] = {}
    for each in found:
        for column in each.columns:
            known, whose = columns.get(column.name, (column, each.taker))
            columns[column.name] = (_both(known, column, whose, each.taker), whose)
    places = tuple(each.places(columns) for each in found)
    return Rows(
        tuple(column for column, _ in columns.values()), positional=False, input="rows", places=places
    )


def _spelled(takers: Sequence[Taker]) -> dict[str, str]:
    """Return names as they are where blanks were lost → as the others have them."""
    names = [column.name for taker in takers for column in taker.signature.columns or ()]
    return {name.replace(" ", "_"): name for name in names}


def _both(one: Column, other: Column, whose: Taker, taker: Taker) -> Column:
    """Return the column that takes what both take."""
    kinds = _kinds(one, other)
    values = _values(one.values, other.values)
    if kinds is None or values == ():
        shown = " and ".join(
            f"{each.label} {_shown(column)}" for each, column in ((whose, one), (taker, other))
        )
        raise mismatch(
            f"The members take {one.name!r} otherwise: {shown}.",
            "Train them on the same columns, or give one of the two columns another name.",
        )
    kind, dtype = kinds
    optional = one.optional and other.optional
    return replace(one, kind=kind, dtype=dtype, optional=optional, values=values)


def _kinds(one: Column, other: Column) -> tuple[Any, str] | None:
    """Return kind and dtype of what both take; None: nothing is."""
    if (one.kind, one.dtype, one.shape) == (other.kind, other.dtype, other.shape):
        return one.kind, one.dtype
    for unknown, known in ((one, other), (other, one)):
        if unknown.kind == "any" and (unknown.dtype == "object" or known.kind in _NUMBERS):
            return known.kind, known.dtype
    if one.kind in _NUMBERS and other.kind in _NUMBERS:
        return _numbers(one, other)
    dates = (is_date(one.dtype), is_date(other.dtype))
    if one.kind == other.kind == "string" and dates == (False, False):
        return "string", "object"
    aware = ["," in column.dtype for column in (one, other)]
    return (one.kind, one.dtype) if dates == (True, True) and aware[0] == aware[1] else None


def _numbers(one: Column, other: Column) -> tuple[Any, str]:
    """Booleans are numbers to all that compute with them; of two widths the narrower one is taken."""
    narrow = max(one, other, key=lambda column: (_NUMBERS.index(column.kind), -_bytes(column.dtype)))
    return narrow.kind, narrow.dtype


def _bytes(dtype: str) -> int:
    return 8 if dtype in ("object", "category") else np.dtype(dtype).itemsize


def _values(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if one is None or other is None:
        return other if one is None else one
    return tuple(value for value in one if value in other)


def _shown(column: Column) -> str:
    values = column.values
    if not values:
        return f"takes a {column.kind}" if not is_date(column.dtype) else "takes a date"
    more = ", …" if len(values) > _MOST_SHOWN else ""
    return f"knows {', '.join(map(repr, values[:_MOST_SHOWN]))}{more}"
