"""Apache Parquet, a few thousand rows at a time."""

import math
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any, BinaryIO

from modelport_control_api.batch.formats.blocks import Block, rows_at_once
from modelport_control_api.batch.formats.layout import InputSignature, Layout, lay_out
from modelport_control_api.batch.formats.limits import (
    MAX_BLOCK_BYTES,
    MAX_ROW_BYTES,
    CellTooLarge,
    InputInvalid,
    Limits,
    RowTooLarge,
)
from modelport_control_api.batch.formats.sizes import SaidSizes, row_bytes

if TYPE_CHECKING:
    import pyarrow

_BUFFER_BYTES = 1 << 20


def read_parquet(
    file: BinaryIO, signature: InputSignature, key_columns: Sequence[str] | None, limits: Limits
) -> Iterator[Block]:
    """Raises `InputInvalid` and `CellTooLarge`."""
    import pyarrow

    try:
        yield from _read(file, signature, key_columns, limits)
    except MemoryError:
        raise
    except (pyarrow.ArrowException, OSError) as error:
        raise InputInvalid(f"The file cannot be read as Parquet: {str(error)[:300]}") from error


def _read(
    file: BinaryIO, signature: InputSignature, key_columns: Sequence[str] | None, limits: Limits
) -> Iterator[Block]:
    import pyarrow.parquet  # it brings no types

    metadata = pyarrow.parquet.read_metadata(file)
    names = metadata.schema.to_arrow_schema().names
    layout = lay_out(names, signature, key_columns)
    wanted = [names[place] for place in _places(layout)]
    sizes = SaidSizes(metadata, frozenset(wanted))
    limits.allowance(_size(file)).require(sizes.decoded)
    most = rows_at_once(max(len(names), len(layout.features)), name_characters=len("".join(names)))
    table = pyarrow.parquet.ParquetFile(
        file, metadata=metadata, read_dictionary=sizes.texts, buffer_size=_BUFFER_BYTES, pre_buffer=False
    )
    blocks = _Blocks(layout, names, most)
    rows = sizes.rows_per_read(MAX_BLOCK_BYTES, most)
    for batch in table.iter_batches(rows, columns=wanted, use_threads=False):
        yield from blocks.take(batch, limits)
    yield from blocks.rest()


def _size(file: BinaryIO) -> int:
    file.seek(0, os.SEEK_END)
    return file.tell()


def _places(layout: Layout) -> list[int]:
    features = {feature.place for feature in layout.features if feature.place is not None}
    return sorted(features | set(layout.keys.values()))


class _Blocks:
    """Makes blocks of `most` rows, or of fewer where those would be too large to be held at once."""

    def __init__(self, layout: Layout, names: Sequence[str], most: int) -> None:
        self._layout = layout
        self._names = names
        self._most = most
        self._begin()

    def take(self, batch: "pyarrow.RecordBatch", limits: Limits) -> Iterator[Block]:
        ends = _row_ends(batch, self._rows, limits)
        start = 0
        while start < batch.num_rows:
            before = ends[start - 1] if start else 0
            fitting = bisect_right(ends, before + MAX_BLOCK_BYTES - self._bytes, start)
            stop = min(fitting, start + self._most - self._rows)
            if stop > start:
                self._add(batch.slice(start, stop - start))
                self._bytes += ends[stop - 1] - before
            if stop < batch.num_rows or self._rows == self._most:
                yield from self.rest()
            start = stop

    def rest(self) -> Iterator[Block]:
        if self._rows:
            block = _block(self._columns, self._rows, self._errors, self._layout, self._names)
            self._begin()
            yield block

    def _begin(self) -> None:
        self._rows = self._bytes = 0
        self._errors: dict[int, str] = {}
        self._columns: dict[str, list[Any]] = {}

    def _add(self, batch: "pyarrow.RecordBatch") -> None:
        for name in batch.schema.names:
            errors: dict[int, str] = {}
            self._columns.setdefault(name, []).extend(_plain(name, batch.column(name), errors))
            for place, text in errors.items():
                self._errors.setdefault(self._rows + place, text)
        self._rows += batch.num_rows


def _row_ends(batch: "pyarrow.RecordBatch", first_place: int, limits: Limits) -> list[int]:
    """How many bytes the batch has up to the end of each row. Raises `CellTooLarge`."""
    from pyarrow import compute

    sizes = [row_bytes(column) for column in batch.columns]
    for name, column in zip(batch.schema.names, sizes, strict=True):
        if len(column) and compute.max(column).as_py() > limits.cell_bytes:
            too_large = compute.index(compute.greater(column, limits.cell_bytes), True).as_py()
            raise CellTooLarge(first_place + too_large, name, limits.cell_bytes)
    rows = reduce(compute.add, sizes)
    if len(rows) and compute.max(rows).as_py() > MAX_ROW_BYTES:
        too_large = compute.index(compute.greater(rows, MAX_ROW_BYTES), True).as_py()
        raise RowTooLarge(first_place + too_large)
    ends: list[int] = compute.cumulative_sum(rows).to_pylist()
    return ends


def _block(
    columns: dict[str, list[Any]], rows: int, errors: dict[int, str], layout: Layout, names: Sequence[str]
) -> Block:
    values = [
        [None] * rows if feature.place is None else columns[names[feature.place]]
        for feature in layout.features
    ]
    keys = {name: columns[name] for name in layout.keys}
    return Block(_rows(values, layout), errors, keys)


def _rows(values: list[list[Any]], layout: Layout) -> list[Any]:
    if layout.single:
        return values[0]
    if layout.named:
        names = [feature.column.name for feature in layout.features]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    return list(zip(*values, strict=True))


def _plain(name: str, column: "pyarrow.Array[Any]", errors: dict[int, str]) -> list[Any]:
    """The column as values that JSON has; an infinity is the row's error."""
    import pyarrow.types

    values: list[Any] = column.to_pylist()
    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        kind = kind.value_type
    if pyarrow.types.is_floating(kind):
        return _finite(name, values, errors)
    if pyarrow.types.is_integer(kind) or pyarrow.types.is_string(kind) or pyarrow.types.is_boolean(kind):
        return values
    return [_as_json(value) for value in values]


def _finite(name: str, values: list[Any], errors: dict[int, str]) -> list[Any]:
    for place, value in enumerate(values):
        if value is None or math.isfinite(value):
            continue
        values[place] = None
        if not math.isnan(value):
            errors.setdefault(place, f"{name} must be a finite number, not an infinity")
    return values


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value
