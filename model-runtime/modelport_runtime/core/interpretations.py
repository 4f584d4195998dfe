"""What a model may take, as far as it declares itself and the sample shows: the likeliest reading first.

What a model declares is a guess where its own code sees the rows. A sample that it predicts is none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, product
from typing import Any, Literal

from modelport_runtime.core.describing import Description
from modelport_runtime.core.samples import UnorderedRow, in_order, named
from modelport_runtime.core.signature import Column, Kind, Signature, positional_columns

Container = Literal["array", "frame", "rows"]
"""What the model gets: `rows` is a list of them as they came (texts, objects)."""

_DATES, _DATES_WITH_OFFSET = "datetime64[us]", "datetime64[us, UTC]"
_KINDS: dict[type, tuple[Kind, str]] = {
    bool: ("boolean", "bool"),
    int: ("number", "float64"),
    float: ("number", "float64"),
    str: ("string", "object"),
}
_MAX_READINGS = 64
_MAX_UNKNOWN = 4
"""Of so many columns of unknown kind, each may be one of dates or not."""


@dataclass(frozen=True)
class Reading:
    signature: Signature
    container: Container


def readings(described: Description, signature: Signature, row: Any) -> Iterator[Reading]:
    """Return the readings to try, of a sample `row` if there is one. Raises `LoadError` if none can fit."""
    if row is None:
        return _without_sample(described, signature)
    if isinstance(row, str):
        return _of_text(described, signature)
    if isinstance(row, dict):
        return islice(_of_object(described, signature, row), _MAX_READINGS)
    return islice(_of_list(described, signature, row), _MAX_READINGS)


def readings_of(backend: Any, row: Any) -> Iterator[tuple[Signature, Any]]:
    """Return the signatures to try of a backend with the backends that feed the model so."""
    own = getattr(backend, "readings", None)
    return iter([(refined(backend.signature, row), backend)]) if own is None else own(row)


def refined(signature: Signature, row: Any) -> Signature:
    """Let the sample show what the model does not: names for a nameless one, kinds for unknown columns."""
    if signature.columns is None or not isinstance(row, dict | list):
        return signature
    return next(_mixes(_with_names_of(signature, row), row))


def own_container(described: Description) -> Container:
    """Return what the model was trained on, as far as it declares."""
    if described.columns is None:
        return "rows"
    return "frame" if described.named else "array"


def _without_sample(described: Description, signature: Signature) -> Iterator[Reading]:
    yield Reading(signature, own_container(described))
    if described.columns is None:
        return
    unknown = [place for place, column in enumerate(described.columns) if _is_unknown(column)]
    dates = {place: _dated(described.columns[place]) for place in unknown}
    some = range(1, 2 ** len(unknown)) if len(unknown) <= _MAX_UNKNOWN else [2 ** len(unknown) - 1]
    for bits in some if unknown else ():
        chosen = {place: dates[place] for at, place in enumerate(unknown) if bits >> at & 1}
        columns = tuple(chosen.get(place, column) for place, column in enumerate(described.columns))
        yield Reading(replace(signature, columns=columns), own_container(described))


def _of_text(described: Description, signature: Signature) -> Iterator[Reading]:
    yield Reading(signature, own_container(described))
    if signature.input != "text":
        yield Reading(_texts(signature), "rows")


def _texts(signature: Signature) -> Signature:
    return replace(signature, input="text", columns=None, positional=False)


def _rows_of(signature: Signature, columns: tuple[Column, ...] | None, *, positional: bool) -> Signature:
    return replace(signature, input="rows", columns=columns, positional=positional)


def _of_object(described: Description, signature: Signature, row: dict[str, Any]) -> Iterator[Reading]:
    if described.columns is None:
        yield from _of_shown_columns(described, signature, row)
        return
    if described.dictionaries:
        yield _as_given(signature)
    containers: tuple[Container, Container] = ("frame", "array") if described.named else ("array", "frame")
    for container in containers:
        for mix in _mixes(_with_names_of(signature, row), row):
            yield Reading(mix, container)
    if described.picks and described.named:
        for mix in _mixes(_with_more(signature, described.columns, row), row):
            yield Reading(mix, "frame")


def _of_shown_columns(described: Description, signature: Signature, row: dict[str, Any]) -> Iterator[Reading]:
    if described.dictionaries:
        yield _as_given(signature)
        if isinstance(row, UnorderedRow):
            return
    columns = tuple(Column(name, "any", "object") for name in in_order(row))
    for mix in _mixes(_rows_of(signature, columns, positional=False), row):
        yield Reading(mix, "frame")
    yield _as_given(signature)


def _as_given(signature: Signature) -> Reading:
    return Reading(_rows_of(signature, None, positional=False), "rows")


def _of_list(described: Description, signature: Signature, row: Any) -> Iterator[Reading]:
    if described.columns is not None:
        for mix in _mixes(signature, row):
            yield Reading(mix, own_container(described))
    else:
        yield _as_given(signature)
    if isinstance(row, list) and not described.named:
        width = len(row)
        columns = described.columns or positional_columns(width, kind="any", dtype="object")
        if len(columns) == width:
            for mix in _mixes(_rows_of(signature, columns, positional=True), row):
                yield Reading(mix, "array")


def _with_names_of(signature: Signature, row: dict[str, Any] | list[Any]) -> Signature:
    if not signature.positional or not isinstance(row, dict):
        return signature
    return replace(signature, columns=named(signature.columns or (), list(in_order(row))), positional=False)


def _with_more(signature: Signature, columns: tuple[Column, ...], row: dict[str, Any]) -> Signature:
    """An own class may pick the columns that its model was trained on out of what it gets."""
    known = {column.name: column for column in columns}
    more = tuple(known.pop(name, Column(name, "any", "object")) for name in row)
    return replace(signature, columns=(*more, *known.values()))


def _mixes(signature: Signature, row: dict[str, Any] | list[Any]) -> Iterator[Signature]:
    """Return every mix of what the row's values may be in each column."""
    columns = signature.columns or ()
    given: Mapping[str, Any] = (
        row if isinstance(row, dict) else dict(zip((c.name for c in columns), row, strict=False))
    )
    options = [
        _options(column, given[column.name]) if column.name in given else [column] for column in columns
    ]
    if sum(len(several) > 1 for several in options) > _MAX_UNKNOWN:
        options = [several[:1] for several in options]
    for mix in product(*options):
        yield replace(signature, columns=mix)


def _options(column: Column, value: Any) -> list[Column]:
    """Return what a column may be, of which the sample shows a value."""
    if value is None:
        # Shown by the sample: this model is called with missing values.
        return [replace(column, optional=True)]
    if type(value) not in _KINDS or not _can_become(column, value):
        return [column]
    kind, dtype = _KINDS[type(value)]
    if type(value) is int and float(value) != value:
        return [replace(column, kind="integer", dtype="int64")]
    if type(value) is bool and column.dtype != "object":
        # Among its numbers, NaN is what the model takes for missing: no boolean is.
        dtype = column.dtype
    reported = replace(column, kind=kind, dtype=dtype)
    if type(value) is int:
        return (
            [reported, replace(column, kind="integer", dtype="int64")] if _is_unknown(column) else [reported]
        )
    if type(value) is not str:
        return [reported]
    # That the model takes numbers is known better than that a user sent a text on purpose.
    texts = [reported] if column.kind == "any" else [column, reported]
    date = _date_of(value)
    return texts if date is None else [*texts, replace(reported, dtype=date)]


def _can_become(column: Column, value: Any) -> bool:
    if column.kind == "any":
        # Where the model computes, text is wrong however it is written.
        return column.dtype == "object" or not isinstance(value, str)
    # A model takes booleans for the numbers 0 and 1 without a word; only its user knows.
    return column.kind == "number" and (type(value) is bool or _is_unlike_a_number(value))


def _is_unlike_a_number(value: Any) -> bool:
    """scikit-learn takes "2" for 2, which proves nothing; and an integer may be too wide for a float."""
    if type(value) is int:
        return float(value) != value and -(2**63) <= value < 2**63
    if type(value) is not str:
        return False
    try:
        float(value)
    except ValueError:
        return True
    return False


def _is_unknown(column: Column) -> bool:
    return column.kind == "any" and column.dtype == "object"


def _date_of(text: str) -> str | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _DATES if moment.tzinfo is None else _DATES_WITH_OFFSET


def _dated(column: Column) -> Column:
    return replace(column, kind="string", dtype=_DATES)
