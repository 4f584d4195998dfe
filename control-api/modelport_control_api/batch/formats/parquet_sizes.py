"""What columns of a Parquet file take when they are decoded, by what the file says of itself."""

from collections.abc import Iterator, Set
from typing import Any

_VALUE_BYTES = 8
_DICTIONARIES = frozenset({"RLE_DICTIONARY", "PLAIN_DICTIONARY"})
_PREFIXES = "DELTA_BYTE_ARRAY"
_DELTAS = frozenset({_PREFIXES, "DELTA_LENGTH_BYTE_ARRAY"})
_ROWS_OF_PREFIXES = 16
"""Of texts that are written as what differs from the one before: no size tells how long those are."""


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
