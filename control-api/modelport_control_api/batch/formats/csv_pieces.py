"""Thousands of lines of CSV at once, where all the model takes are numbers.

It takes only what the reader of rows takes, with equal values (a test holds the two together), and words no
error: what it gives None for is for the other to judge.
"""

import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from modelport_control_api.batch.formats.blocks import Block, Matrix
from modelport_control_api.batch.formats.layout import Feature, Layout
from modelport_control_api.batch.formats.limits import Limits

if TYPE_CHECKING:
    import pyarrow  # it brings no types

_MAX_PIECE_BYTES = 4 << 20
_MAX_CELL_CHARACTERS = 131_072
"""Of Python's reader of CSV."""
# Cells that are quoted as a whole, without a quote or a line's end in them.
_PLAINLY_QUOTED = re.compile(rb'(?:^|(?<=,))"[^"\r\n]*"(?=,|\r?$)', re.MULTILINE)


class CsvPieces:
    """Gives bytes of whole lines that are whole rows, from `begin` on, until it is not sure of that.

    `end` and `lines`: where the last piece ended in the file, and how many lines all had.
    """

    def __init__(self, file: BinaryIO, begin: int, most_rows: int) -> None:
        self.end = begin
        self.lines = 0
        self._file = file
        self._most_rows = most_rows
        self._ahead = b""
        self._place = 0
        file.seek(begin)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._next():
            if not _rows_are_lines(piece):
                return
            yield piece
            self.end += len(piece)
            self.lines += piece.count(b"\n")

    def _next(self) -> bytes:
        """Empty: there is no line, or one that is too long."""
        while len(self._ahead) - self._place < _MAX_PIECE_BYTES and (
            more := self._file.read(_MAX_PIECE_BYTES)
        ):
            self._ahead, self._place = self._ahead[self._place :] + more, 0
        end = self._end()
        piece, self._place = self._ahead[self._place : end], end
        return piece

    def _end(self) -> int:
        end, last, find = self._place, self._place + _MAX_PIECE_BYTES, self._ahead.find
        for _ in range(self._most_rows):
            found = find(b"\n", end, last) + 1
            if not found:
                return len(self._ahead) if len(self._ahead) < last else end
            end = found
        return end


def _rows_are_lines(piece: bytes) -> bool:
    # What is not there at all is seen at once, and counting takes its time.
    if b"\0" in piece or (b"\r" in piece and piece.count(b"\r") != piece.count(b"\r\n")):
        return False
    return b'"' not in piece or 2 * len(_PLAINLY_QUOTED.findall(piece)) == piece.count(b'"')


class PieceReader:
    def __init__(self, names: Sequence[str], layout: Layout, limits: Limits) -> None:
        # Here and not above: only a process that reads such inputs pays for it.
        import pyarrow
        from pyarrow import csv

        self._pyarrow = pyarrow
        self._csv = csv
        self._names = list(names)
        self._layout = layout
        self._longest_cell = min(_MAX_CELL_CHARACTERS, limits.cell_bytes)
        features = [names[feature.place] for feature in layout.features if feature.place is not None]
        keys = [names[place] for place in layout.keys.values()]
        types = dict.fromkeys(features, pyarrow.float64()) | dict.fromkeys(keys, pyarrow.string())
        self._convert = csv.ConvertOptions(
            column_types=types, include_columns=list(types), null_values=[""], strings_can_be_null=False
        )

    def read(self, piece: bytes) -> Block | None:
        """None: some of it is unusual."""
        try:
            table = self._parse(piece)
        except self._pyarrow.ArrowException:
            return None
        if not table.num_rows:
            return None
        keys = {name: self._texts(table, place) for name, place in self._layout.keys.items()}
        columns = [self._numbers(table, feature) for feature in self._layout.features]
        if any(each is None for each in (*columns, *keys.values())):
            return None
        return Block(Matrix.of_columns(columns, table.num_rows), keys=keys)

    def _parse(self, piece: bytes) -> "pyarrow.Table":
        size = len(piece) + 1
        return self._csv.read_csv(
            self._pyarrow.BufferReader(piece),
            self._csv.ReadOptions(column_names=self._names, use_threads=False, block_size=size),
            self._csv.ParseOptions(newlines_in_values=False),
            self._convert,
        )

    def _texts(self, table: "pyarrow.Table", place: int) -> Any:
        cells = table.column(self._names[place]).to_pylist()
        return None if max(map(len, cells)) > self._longest_cell else cells

    def _numbers(self, table: "pyarrow.Table", feature: Feature) -> Any:
        """A buffer of float64, or a list of None. None: a number is missing that may not, or is none."""
        import pyarrow.compute

        if feature.place is None:
            return [None] * table.num_rows
        column = table.column(self._names[feature.place]).combine_chunks()
        if pyarrow.compute.all(pyarrow.compute.is_finite(column)).as_py() is False:
            return None
        if column.null_count:
            if not feature.column.optional:
                return None
            column = column.fill_null(math.nan)
        return memoryview(column.buffers()[1])[8 * column.offset :][: 8 * len(column)]
