"""JSON Lines, and `{"inputs": [row, …]}`: both read one row at a time.

A row is an object, a list or a text, as `POST /predict` takes them, or `{"input": row, …}` with its keys
around it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import orjson

from modelport_control_api.batch.formats.blocks import Block, rows_at_once
from modelport_control_api.batch.formats.json_rows import split_rows
from modelport_control_api.batch.formats.layout import InputSignature, keeps_all
from modelport_control_api.batch.formats.limits import (
    MAX_BLOCK_BYTES,
    MAX_ROW_BYTES,
    CellTooLarge,
    InputInvalid,
    Limits,
    require_names,
)
from modelport_control_api.batch.storage.chunks import MAX_BYTES

MAX_KEYS = 200
"""Different names beside the model's columns."""

Row = bytes | str
"""A row's JSON; a text instead is the reason why it cannot be read."""


def read_json_lines(
    file: BinaryIO, signature: InputSignature, key_columns: Sequence[str] | None, limits: Limits
) -> Iterator[Block]:
    """Empty lines are no rows. Raises `InputInvalid` and `CellTooLarge`."""
    return _blocks(_lines(file), _RowReader(signature, key_columns, limits))


def read_json(
    file: BinaryIO, signature: InputSignature, key_columns: Sequence[str] | None, limits: Limits
) -> Iterator[Block]:
    """Raises `InputInvalid` where the list is no JSON: it is unknown where its next row begins. Raises
    `CellTooLarge` too."""
    return _blocks(split_rows(file), _RowReader(signature, key_columns, limits))


def _lines(file: BinaryIO) -> Iterator[Row]:
    while line := file.readline(MAX_ROW_BYTES):
        if len(line) >= MAX_ROW_BYTES and not line.endswith(b"\n"):
            yield f"is longer than {MAX_ROW_BYTES} bytes"
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_ROW_BYTES)
        elif line := line.strip():
            yield line


def _blocks(rows: Iterator[Row], reader: "_RowReader") -> Iterator[Block]:
    size = 0
    for row in rows:
        reader.take(row)
        size += len(row)
        if reader.is_full or size >= MAX_BYTES:
            yield reader.give()
            size = 0
    if reader.block.values:
        yield reader.give()


class _RowReader:
    """Sorts each row into what is sent to the model and what stands beside it."""

    def __init__(self, signature: InputSignature, key_columns: Sequence[str] | None, limits: Limits) -> None:
        self.block = Block([])
        self._limits = limits
        self._most_rows = rows_at_once(len(signature.names))
        self._key_characters = 0
        self._names = frozenset(signature.names)
        self._free = signature.columns is None
        self._positional = signature.positional
        self._takes_text = signature.takes_text
        self._keeps_all = keeps_all(key_columns)
        self._wanted = None if key_columns is None or self._keeps_all else tuple(key_columns)
        self._seen: set[str] = set()

    def take(self, row: Row) -> None:
        place = len(self.block.values)
        value = None
        if isinstance(row, str):
            self.block.errors[place] = row
        else:
            try:
                value = orjson.loads(row.removeprefix(b"\xef\xbb\xbf") if not place else row)
            except orjson.JSONDecodeError as error:
                self.block.errors[place] = _not_json(error)
        self.block.values.append(None)
        if place not in self.block.errors:
            self._require_cells(row, value, place)
            self.block.values[place] = self._split(value, place)

    @property
    def is_full(self) -> bool:
        """Results may repeat the keys' names in each row."""
        rows = len(self.block.values)
        return rows >= self._most_rows or rows * self._key_characters >= MAX_BLOCK_BYTES

    def give(self) -> Block:
        block, self.block = self.block, Block([])
        self._key_characters = 0
        rows = len(block.values)
        for values in block.keys.values():
            values.extend([None] * (rows - len(values)))
        return block

    def _require_cells(self, row: Row, value: Any, place: int) -> None:
        most = self._limits.cell_bytes
        if len(row) <= most:
            return
        for name, cell in _cells(value):
            if len(orjson.dumps(cell)) > most:
                raise CellTooLarge(place, name, most)

    def _split(self, value: Any, place: int) -> Any:
        if isinstance(value, dict):
            value = self._of_object(value, place)
        if isinstance(value, str) if self._takes_text else isinstance(value, dict | list):
            return value
        wanted = "a text" if self._takes_text else "an object or a list"
        self.block.errors[place] = f"must be {wanted}, not {_named(value)}"
        return None

    def _of_object(self, row: dict[str, Any], place: int) -> Any:
        sent, beside = self._parted(row)
        self._keep({**beside, **sent} if self._keeps_all and isinstance(sent, dict) else beside, place)
        return sent

    def _parted(self, row: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """What is sent to the model, and of what its keys are."""
        names = self._names
        if "input" in row and "input" not in names:
            return row["input"], {name: value for name, value in row.items() if name != "input"}
        beside = row if self._wanted else {}
        if row.keys() == names:
            return row, beside
        if self._free or (self._positional and not row.keys() >= names):
            return {name: value for name, value in row.items() if name not in (self._wanted or ())}, beside
        others = beside or {name: row[name] for name in row if name not in names}
        return {name: row[name] for name in row if name in names}, others

    def _keep(self, found: dict[str, Any], place: int) -> None:
        names = found if self._wanted is None else self._wanted
        for name in names:
            values = self.block.keys.get(name)
            if values is None:
                values = self._new_key(name)
            values.extend([None] * (place - len(values)))
            values.append(found.get(name))

    def _new_key(self, name: str) -> list[Any]:
        require_names([name])
        self._seen.add(name)
        self._key_characters += len(name)
        if len(self._seen) > MAX_KEYS:
            raise InputInvalid(
                f"The rows have more than {MAX_KEYS} different names that the model does not take: "
                "say in key_columns which of them to keep."
            )
        return self.block.keys.setdefault(name, [])


def _cells(value: Any) -> Iterator[tuple[str, Any]]:
    """What a row holds, by name or by position; of `{"input": row, …}` what that holds too."""
    match value:
        case {"input": dict() | list() as row}:
            yield from _cells(row)
            yield from ((name, cell) for name, cell in value.items() if name != "input")
        case dict():
            yield from value.items()
        case list():
            yield from ((str(number), cell) for number, cell in enumerate(value))
        case _:
            yield "input", value


def _named(value: Any) -> str:
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    return names.get(type(value), "an object" if isinstance(value, dict) else "a list")


def _not_json(error: orjson.JSONDecodeError) -> str:
    return f"is not JSON: {error.msg} at character {error.pos + 1} of the row"
