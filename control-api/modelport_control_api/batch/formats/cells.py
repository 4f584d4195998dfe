"""Texts of a CSV column as the values that the model's column takes: all at once where all are usual."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from modelport_control_api.batch.formats.layout import InputColumn

_MISSING = frozenset({"", "nan", "na", "n/a", "null"})
_WORDS = {"true": True, "false": False}
_BOOLEANS = {**_WORDS, "1": True, "0": False, "t": True, "f": False}
# What Python's own readers take beside these (1_000, infinity) is no number to anybody else.
_DECIMALS = re.compile(r"[0-9.eE+\- ]*")
_WHOLES = re.compile(r"[0-9+\- ]*")
_SHOWN_CHARACTERS = 40


class CellUnfit(ValueError):
    """The message completes "<column> …"."""


Cell = Callable[[str], Any]
Column = Callable[[Sequence[str]], Sequence[Any]]


def read_column(column: InputColumn) -> Column:
    """Build what reads a whole column. It raises `ValueError` where `read_cell` must find out why."""
    if column.values is not None:
        return _by(read_cell(column))
    fast: dict[str, Column] = {"number": _numbers, "integer": _integers, "string": _strings}
    return fast.get(column.kind) or _by(read_cell(column))


def read_cell(column: InputColumn) -> Cell:
    """Build what reads one cell; it raises `CellUnfit`. A missing one comes out as None."""
    convert = _converter(column)
    is_text = column.kind in ("string", "any")

    def read(text: str) -> Any:
        if text == "" or (not is_text and text.strip().lower() in _MISSING):
            return _missing(column)
        _require_text(text)
        return convert(text)

    return read


def _converter(column: InputColumn) -> Cell:
    is_numeric = column.kind in ("any", "boolean") and column.dtype not in ("", "object", "bool")
    convert = _number_or_boolean if is_numeric else _CELLS.get(column.kind, _anything)
    return convert if column.values is None else _known(column.values, convert)


def _missing(column: InputColumn) -> Any:
    if column.optional:
        return None
    if column.kind == "string" and column.values is None:
        return ""
    raise CellUnfit("is empty, and the model takes no missing values here")


def _by(read: Cell) -> Column:
    return lambda cells: [read(cell) for cell in cells]


def _numbers(cells: Sequence[str]) -> Sequence[Any]:
    if not _DECIMALS.fullmatch("".join(cells)):
        raise ValueError("not only usual numbers")
    values = list(map(float, cells))
    if not math.isfinite(sum(values)):
        raise ValueError("beyond a float")
    return values


def _integers(cells: Sequence[str]) -> Sequence[Any]:
    if not _WHOLES.fullmatch("".join(cells)):
        raise ValueError("not only whole numbers")
    return list(map(int, cells))


def _strings(cells: Sequence[str]) -> Sequence[Any]:
    if "" in cells:
        raise ValueError("some are empty")
    text = "".join(cells)
    if not text.isascii():
        text.encode()
    return cells


def _number(text: str) -> float:
    if "_" in text:
        raise _unfit(text, "a number")
    try:
        value = float(text)
    except ValueError:
        raise _unfit(text, "a number") from None
    if not math.isfinite(value):
        raise _unfit(text, "a finite number")
    return value


def _integer(text: str) -> int:
    try:
        if "_" not in text:
            return int(text)
    except ValueError:
        value = _number(text)
        if value.is_integer():
            return int(value)
    raise _unfit(text, "a whole number")


def _or_boolean(read: Cell) -> Cell:
    """A boolean among numbers is left as one: whether it counts, the model's runtime decides."""

    def convert(text: str) -> Any:
        word = _WORDS.get(text.strip().lower())
        return read(text) if word is None else word

    return convert


def _boolean(text: str) -> bool:
    value = _BOOLEANS.get(text.strip().lower())
    if value is None:
        raise _unfit(text, "true or false")
    return value


def _anything(text: str) -> Any:
    """A number or a boolean where it is written as JSON writes it; else the text."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, bool | int | float) else text


def _tensor(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _unfit(text, "nested lists of numbers as JSON") from None


_number_or_boolean = _or_boolean(_number)
_CELLS: dict[str, Cell] = {
    "number": _number_or_boolean,
    "integer": _or_boolean(_integer),
    "boolean": _boolean,
    "string": str,
    "tensor": _tensor,
}


def _known(values: Sequence[Any], read: Cell) -> Cell:
    """The value that is written so; what the model does not know is left to it to refuse."""
    as_pandas_writes = {str(value): value for value in values if isinstance(value, bool)}
    by_text = as_pandas_writes | {_written(value): value for value in values}

    def convert(text: str) -> Any:
        found = by_text.get(text, by_text.get(text.strip()))
        return read(text) if found is None else found

    return convert


def _written(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _require_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CellUnfit("is not UTF-8 text: save the file as UTF-8") from None


def _unfit(text: str, wanted: str) -> CellUnfit:
    shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
    return CellUnfit(f"must be {wanted}, not {shown!r}")
