"""The key under which a response is kept: equal only for requests that the runtime decodes to the same rows.

What is equal is written in docs/contracts.md. Where this file cannot be sure, it raises `Uncacheable`:
the request then bypasses the cache, which costs time and never correctness.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from modelport_gateway.cache.row_decoder import RowDecoder, usual_request

# Integers up to here are exact as floats; orjson reads integers beyond 64 bits as rounded floats,
# so a large float may stand for several integers that a runtime could distinguish.
_EXACT = 2**53
_DEFAULT_RETURN = ["prediction"]


class Uncacheable(Exception):
    """No key can be given; the runtime decides what the request means."""


Cell = Callable[[Any], Any]


def _number(value: Any) -> Any:
    is_small_integer = type(value) is int and abs(value) <= _EXACT
    return float(value) if is_small_integer else _scalar(value)


def _integer(value: Any) -> Any:
    is_whole = type(value) is float and value.is_integer() and abs(value) <= _EXACT
    # -0.0 stays as it is: it is not 0.
    return int(value) if is_whole and str(value) != "-0.0" else _scalar(value)


def _scalar(value: Any) -> Any:
    if type(value) is float and abs(value) > _EXACT:
        raise Uncacheable
    return value


def _anything(value: Any) -> Any:
    """Check nested values for numbers that orjson may have rounded; keep the value itself."""
    if isinstance(value, list):
        for item in value:
            _anything(item)
    elif isinstance(value, dict):
        for item in value.values():
            _anything(item)
    return _scalar(value)


_CELLS: Mapping[str, Cell] = {"number": _number, "integer": _integer}
_USUAL_TYPES: Mapping[Cell, type[float] | type[str]] = {_number: float, _anything: str}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    cell: Cell
    optional: bool


@dataclass(frozen=True, slots=True)
class Canonical:
    """One signature's way to write rows so that equal rows are equal. Without `columns` they stay as is."""

    columns: tuple[Column, ...] | None
    by_position: bool
    usual: RowDecoder | None = None

    @classmethod
    def from_signature(cls, signature: Mapping[str, Any] | None) -> "Canonical":
        """Read a signature. It is the runtime's word, untrusted: a malformed one means "rows as they are"."""
        try:
            return cls._read(signature or {})
        except (KeyError, TypeError, AttributeError):
            return cls(None, True)

    @classmethod
    def _read(cls, signature: Mapping[str, Any]) -> "Canonical":
        described = signature.get("columns")
        if described is None or signature.get("input") != "rows":
            return cls(None, True)
        columns = tuple(
            Column(str(each["name"]), _CELLS.get(each["kind"], _anything), bool(each["optional"]))
            for each in described
        )
        # Two columns of one name cannot be distinguished in an object.
        if len({column.name for column in columns}) < len(columns):
            return cls(None, bool(signature.get("positional")))
        by_position = bool(signature.get("positional"))
        return cls(columns, by_position, None if by_position else _usual(columns))

    def row(self, row: Any) -> Any:
        """Return the row's canonical form. Raises Uncacheable where the runtime will refuse it anyway."""
        if self.columns is None:
            return _anything(row)
        if isinstance(row, list):
            return self._cells(row)
        if not isinstance(row, dict):
            return _anything(row)
        if self.by_position:
            # The order of an object's values counts here, and its names may: both stay in the key.
            return dict(zip(row, self._cells(list(row.values())), strict=True))
        return self._by_name(row)

    def _cells(self, values: list[Any]) -> list[Any]:
        columns = self.columns or ()
        if len(values) != len(columns):
            raise Uncacheable
        return [column.cell(value) for column, value in zip(columns, values, strict=True)]

    def _by_name(self, row: dict[str, Any]) -> list[Any]:
        columns = self.columns or ()
        if not row.keys() <= {column.name for column in columns}:
            raise Uncacheable
        if any(column.name not in row and not column.optional for column in columns):
            raise Uncacheable
        # Absent is null: both reach the model as missing.
        return [column.cell(row.get(column.name)) for column in columns]


def _usual(columns: tuple[Column, ...]) -> RowDecoder | None:
    if not all(column.cell in _USUAL_TYPES for column in columns):
        return None
    return usual_request(
        tuple((column.name, _USUAL_TYPES[column.cell], column.optional) for column in columns)
    )


def cache_scope(*, signature: Mapping[str, Any] | None, **parts: str) -> bytes:
    """Digest all that a response depends on besides the request: `parts` name model, version, artifact…"""
    # The standard library's json: a runtime may put integers into its signature that orjson refuses to write.
    return blake2b(json.dumps([parts, signature], sort_keys=True).encode(), digest_size=32).digest()


def cache_key(scope: bytes, canonical: Canonical, body: bytes) -> bytes:
    """Return the key of a predict body under a version's `scope`. Raises Uncacheable."""
    cells = canonical.usual.cells(body) if canonical.usual else None
    try:
        form = _canonical(canonical, body) if cells is None else ["one", _DEFAULT_RETURN, [cells]]
        text = orjson.dumps(form)
    except (TypeError, RecursionError):
        raise Uncacheable from None
    return blake2b(scope + text, digest_size=32).digest()


def _canonical(canonical: Canonical, body: bytes) -> list[Any]:
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Uncacheable from None
    form, rows, outputs = _read_request(request)
    return [form, outputs, [canonical.row(row) for row in rows]]


def _read_request(request: Any) -> tuple[str, list[Any], list[str]]:
    if not isinstance(request, dict) or not request.keys() <= {"input", "inputs", "return"}:
        raise Uncacheable
    outputs = request.get("return", _DEFAULT_RETURN)
    if not isinstance(outputs, list) or not all(isinstance(output, str) for output in outputs):
        raise Uncacheable
    match request:
        case {"input": _, "inputs": _}:
            raise Uncacheable
        case {"input": row}:
            return "one", [row], outputs
        case {"inputs": [*rows]}:
            return "many", rows, outputs
    raise Uncacheable
