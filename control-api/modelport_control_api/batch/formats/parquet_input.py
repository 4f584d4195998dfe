"""Apache Parquet, a few thousand rows at a time."""

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

from modelport_control_api.batch.formats.blocks import Block, rows_at_once
from modelport_control_api.batch.formats.errors import InputInvalid
from modelport_control_api.batch.formats.layout import Layout, lay_out
from modelport_control_api.batch.formats.signature import InputSignature

if TYPE_CHECKING:
    import pyarrow


def read_parquet(
    file: BinaryIO, signature: InputSignature, key_columns: Sequence[str] | None
) -> Iterator[Block]:
    """Raises `InputInvalid`."""
    import pyarrow
    import pyarrow.parquet  # it brings no types

    try:
        table = pyarrow.parquet.ParquetFile(file)
        names = table.schema_arrow.names
        layout = lay_out(names, signature, key_columns)
        wanted = [names[place] for place in _places(layout)]
        for batch in table.iter_batches(rows_at_once(len(names)), columns=wanted, use_threads=False):
            yield _block(batch, layout, names)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputInvalid(f"The file cannot be read as Parquet: {str(error)[:300]}") from error


def _places(layout: Layout) -> list[int]:
    features = {feature.place for feature in layout.features if feature.place is not None}
    return sorted(features | set(layout.keys.values()))


def _block(batch: "pyarrow.RecordBatch", layout: Layout, names: Sequence[str]) -> Block:
    errors: dict[int, str] = {}
    columns = {name: _plain(name, batch.column(name), errors) for name in batch.schema.names}
    rows = batch.num_rows
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
