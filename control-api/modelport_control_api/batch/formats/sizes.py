"""What columns take when they are decoded: of Arrow arrays as they are, of Parquet files as declared."""

from collections.abc import Iterator, Set
from functools import reduce
from typing import Any

_VALUE_BYTES = 8
"""Of a number, and of each element of a list. As an object of Python it is more, by a constant."""


def row_bytes(column: Any) -> Any:
    """Of each row, as a `pyarrow.Array` of int64."""
    import pyarrow
    from pyarrow import types

    kind = column.type
    if isinstance(kind, pyarrow.ExtensionType):
        return row_bytes(column.storage)
    if types.is_dictionary(kind):
        return row_bytes(column.dictionary).take(column.indices).fill_null(_VALUE_BYTES)
    if types.is_nested(kind):
        return _of_nested(column)
    return _of_plain(column)


def _of_plain(column: Any) -> Any:
    import pyarrow
    from pyarrow import compute, types

    kind = column.type
    if types.is_string_view(kind) or types.is_binary_view(kind):
        column, kind = column.cast(pyarrow.large_binary()), pyarrow.large_binary()
    if types.is_fixed_size_binary(kind):
        return _repeated(kind.byte_width, len(column))
    texts = (types.is_binary, types.is_string, types.is_large_binary, types.is_large_string)
    if any(is_text(kind) for is_text in texts):
        return compute.binary_length(column).cast(pyarrow.int64()).fill_null(_VALUE_BYTES)
    return _repeated(_VALUE_BYTES, len(column))


def _of_nested(column: Any) -> Any:
    import pyarrow
    from pyarrow import compute, types

    kind = column.type
    if types.is_struct(kind):
        return reduce(compute.add, map(row_bytes, column.flatten()), _repeated(_VALUE_BYTES, len(column)))
    if types.is_fixed_size_list(kind):
        return row_bytes(column.cast(pyarrow.list_(kind.value_type)))
    ends = compute.cumulative_sum(row_bytes(column.values))
    sums = pyarrow.concat_arrays([_repeated(0, 1), ends]).take(column.offsets)
    return compute.add(compute.subtract(sums[1:], sums[:-1]), _VALUE_BYTES)


def _repeated(value: int, count: int) -> Any:
    import pyarrow

    return pyarrow.repeat(pyarrow.scalar(value, pyarrow.int64()), count)


_DICTIONARIES = frozenset({"RLE_DICTIONARY", "PLAIN_DICTIONARY"})
_PREFIXES = "DELTA_BYTE_ARRAY"
_DELTAS = frozenset({_PREFIXES, "DELTA_LENGTH_BYTE_ARRAY"})
_ROWS_OF_PREFIXES = 16
"""Of texts that are written as what differs from the one before: no size shows how long those are."""


class SaidSizes:
    """By the metadata of a `pyarrow.parquet.ParquetFile`, for the columns of the `names`."""

    def __init__(self, metadata: Any, names: Set[str]) -> None:
        self._metadata = metadata
        self._leaves = _leaves_of(metadata.schema, names)

    @property
    def texts(self) -> list[str]:
        """What is to be read as dictionaries, as it is written: there a text that repeats is decoded once."""
        return [
            self._metadata.schema.column(leaf).path for leaf in self._leaves if self._has_dictionary(leaf)
        ]

    @property
    def decoded(self) -> int:
        """Of all rows."""
        return sum(map(self._of_group, self._groups()))

    def rows_per_read(self, most_bytes: int, most_rows: int) -> int:
        """How many rows have about `most_bytes` at most."""
        rows = most_rows
        for group in self._groups():
            rows = min(rows, most_bytes * group.num_rows // max(1, self._of_group(group)))
            if any(_PREFIXES in group.column(leaf).encodings for leaf in self._leaves):
                rows = min(rows, _ROWS_OF_PREFIXES)
        return max(1, rows)

    def _has_dictionary(self, leaf: int) -> bool:
        if self._metadata.schema.column(leaf).physical_type != "BYTE_ARRAY":
            return False
        # Arrow makes no dictionary of what is written so.
        encodings = {each for group in self._groups() for each in group.column(leaf).encodings}
        return not encodings.isdisjoint(_DICTIONARIES) and encodings.isdisjoint(_DELTAS)

    def _groups(self) -> Iterator[Any]:
        return map(self._metadata.row_group, range(self._metadata.num_row_groups))

    def _of_group(self, group: Any) -> int:
        return sum(self._of_chunk(group.column(leaf), leaf) for leaf in self._leaves)

    def _of_chunk(self, chunk: Any, leaf: int) -> int:
        width: int = max(_VALUE_BYTES, self._metadata.schema.column(leaf).length)
        return max(int(chunk.total_uncompressed_size), int(chunk.num_values) * width)


def _leaves_of(schema: Any, names: Set[str]) -> list[int]:
    """A name may have dots of its own: then some that are not wanted are counted too."""
    return [leaf for leaf in range(len(schema)) if not names.isdisjoint(_prefixes(schema.column(leaf).path))]


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))
