"""Some rows of an input, read, as matrix or list; and the chunks that they make."""

import math
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from modelport_control_api.batch.formats.limits import MAX_BLOCK_BYTES
from modelport_control_api.batch.storage.chunks import MAX_BYTES, MAX_MATRIX_ROWS, MAX_ROWS, Chunk

_NUMBER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Matrix:
    """`numbers`: float64 row by row, NaN where a value is missing. Little-endian, as all machines are that
    there are images for."""

    numbers: bytes
    columns: int

    @classmethod
    def of_columns(cls, columns: Sequence[Any], rows: int) -> "Matrix":
        """Each of `columns` has `rows` numbers: a buffer of float64, or a list in which None is missing."""
        width = len(columns)
        numbers = array("d", bytes(_NUMBER_BYTES * rows * width))
        for place, column in enumerate(columns):
            numbers[place::width] = _floats(column)
        return cls(numbers.tobytes(), width)

    def __len__(self) -> int:
        return len(self.numbers) // self._row_bytes

    def __getitem__(self, rows: slice) -> "Matrix":
        start, stop, _ = rows.indices(len(self))
        return Matrix(self.numbers[start * self._row_bytes : stop * self._row_bytes], self.columns)

    def without(self, rows: Collection[int]) -> "Matrix":
        """All rows but these."""
        if not rows:
            return self
        dropped = sorted(rows)
        starts = [0, *(row + 1 for row in dropped)]
        kept = [
            self[slice(start, stop)].numbers
            for start, stop in zip(starts, [*dropped, len(self)], strict=True)
        ]
        return Matrix(b"".join(kept), self.columns)

    @property
    def _row_bytes(self) -> int:
        return _NUMBER_BYTES * self.columns


def _floats(column: Any) -> "array[float]":
    if isinstance(column, list):
        given = [math.nan if value is None else value for value in column] if None in column else column
        return array("d", given)
    found = array("d")
    found.frombytes(column)
    return found


MAX_CELLS = 200_000
"""Of a block: what a thousand columns make of five thousand rows would fill the memory."""
_OPTIONS = orjson.OPT_NON_STR_KEYS


@dataclass(slots=True)
class Block:
    """`values`: what the model is sent, one for each row, in a list or a `Matrix`; that of a row in `errors`
    counts for nothing."""

    values: Any
    errors: dict[int, str] = field(default_factory=dict)
    keys: dict[str, list[Any]] = field(default_factory=dict)


def rows_at_once(width: int, *, name_characters: int = 0, is_matrix: bool = False) -> int:
    """How many rows of so many columns a block should have. `name_characters`: of all their names, which each
    row's JSON may repeat."""
    most = MAX_MATRIX_ROWS if is_matrix else MAX_ROWS
    return max(1, min(most, MAX_CELLS // max(1, width), MAX_BLOCK_BYTES // max(1, name_characters)))


def chunks_of(block: Block, first_row: int, most_rows: int | None = None) -> Iterator[Chunk]:
    """Return the block's chunks, none larger than allowed. The same block gives the same ones.

    `most_rows` None: as many as cost little.
    """
    inputs = _encode(block)
    rows = len(block.values)
    columns = block.values.columns if isinstance(block.values, Matrix) else 0
    allowed = most_rows or (rows if columns else MAX_ROWS)
    fits = len(inputs) <= MAX_BYTES and rows <= allowed
    if fits or rows == 1:
        yield Chunk(first_row, rows, inputs, dict(sorted(block.errors.items())), block.keys, columns)
        return
    middle = rows // 2
    yield from chunks_of(_part(block, slice(0, middle)), first_row, most_rows)
    yield from chunks_of(_part(block, slice(middle, rows)), first_row + middle, most_rows)


def _part(block: Block, cut: slice) -> Block:
    return Block(
        block.values[cut],
        {place - cut.start: text for place, text in block.errors.items() if cut.start <= place < cut.stop},
        {name: values[cut] for name, values in block.keys.items()},
    )


def _encode(block: Block) -> bytes:
    if isinstance(block.values, Matrix):
        return block.values.without(block.errors).numbers
    try:
        return orjson.dumps(_sendable(block), option=_OPTIONS)
    except (TypeError, RecursionError):
        _mark_unwritable(block)
        return orjson.dumps(_sendable(block), option=_OPTIONS)


def _sendable(block: Block) -> Any:
    errors = block.errors
    if not errors:
        return block.values
    return [value for place, value in enumerate(block.values) if place not in errors]


def _mark_unwritable(block: Block) -> None:
    for place, value in enumerate(block.values):
        if place not in block.errors and (problem := _problem_of(value)):
            block.errors[place] = problem


def _problem_of(value: Any) -> str | None:
    try:
        orjson.dumps(value, option=_OPTIONS)
    except (TypeError, RecursionError) as error:
        return f"holds what JSON cannot: {error}"
    return None
