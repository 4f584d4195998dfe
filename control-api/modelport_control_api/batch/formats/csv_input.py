"""CSV with a header line: commas, quotes as RFC 4180 has them, UTF-8.

Where a model takes nothing but numbers, thousands of lines are read at once (`csv_pieces`), and only what is
unusual in them goes the way that all other inputs go: row by row, where every error has its words.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from modelport_http.wording import counted

from modelport_control_api.batch.formats.blocks import Block, Matrix, rows_at_once
from modelport_control_api.batch.formats.cells import Cell, CellUnfit, read_cell, read_column
from modelport_control_api.batch.formats.csv_pieces import CsvPieces, PieceReader
from modelport_control_api.batch.formats.layout import InputSignature, Layout, lay_out
from modelport_control_api.batch.formats.limits import MAX_ROW_BYTES, CellTooLarge, InputInvalid, Limits
from modelport_control_api.batch.storage.chunks import MAX_BYTES

Line = list[str]
_MOST_PROBLEMS = 20


def read_csv(
    file: BinaryIO,
    signature: InputSignature,
    key_columns: Sequence[str] | None,
    limits: Limits,
    *,
    by_row: bool = False,
) -> Iterator[Block]:
    """Raises `InputInvalid` for a header that does not fit, and `CellTooLarge`. Empty lines are no rows.
    `file` is seekable.

    by_row: for who wants the first rows only, or has few; it imports less.
    """
    head: list[str] = []
    with _open(file, "utf-8-sig") as lines:
        names = _header(csv.reader(_recorded(lines, head)), signature)
        table = _Table(names, lay_out(names, signature, key_columns), limits)
        if by_row or not table.is_usual:
            yield from _blocks(lines, table)
            return
    yield from _read_pieces(file, CsvPieces(file, _size(file, head), table.rows_at_once), len(head), table)


def _read_pieces(file: BinaryIO, pieces: CsvPieces, head_lines: int, table: "_Table") -> Iterator[Block]:
    read = PieceReader(table.names, table.layout, table.limits).read
    for piece in pieces:
        block = read(piece)
        if block is not None:
            yield block
            continue
        with _open(io.BytesIO(piece), "utf-8", head_lines + pieces.lines) as lines:
            yield from _blocks(lines, table)
    # From the first piece on in which rows may end elsewhere than lines.
    file.seek(pieces.end)
    with _open(file, "utf-8", head_lines + pieces.lines) as lines:
        yield from _blocks(lines, table)


def _blocks(lines: "_Lines", table: "_Table") -> Iterator[Block]:
    reader = csv.reader(lines)
    while rows := _some(reader, lines, table.rows_at_once):
        yield table.read(rows)


def _recorded(lines: "_Lines", into: list[str]) -> Iterator[str]:
    for line in lines:
        into.append(line)
        yield line


def _size(file: BinaryIO, head: list[str]) -> int:
    """How many bytes the lines of the head have, a byte order mark before them too."""
    file.seek(0)
    mark = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    return len("".join(head).encode(errors="surrogateescape")) + (len(codecs.BOM_UTF8) if mark else 0)


@contextmanager
def _open(file: BinaryIO, encoding: str, lines_before: int = 0) -> "Iterator[_Lines]":
    # Bytes that are no UTF-8 become what cannot be written again: such a cell is an error, not the file.
    text = io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="")
    try:
        yield _Lines(text, lines_before)
    finally:
        text.detach()


class _Lines:
    """Counts what it gives, so that a block ends before its rows fill the memory."""

    def __init__(self, text: io.TextIOWrapper, lines_before: int) -> None:
        self.characters = 0
        self.number = lines_before
        self._read_line = text.readline

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._read_line(MAX_ROW_BYTES)
        if not line:
            raise StopIteration
        self.number += 1
        self.characters += len(line)
        if len(line) >= MAX_ROW_BYTES:
            raise InputInvalid(
                f"Line {self.number} is longer than {MAX_ROW_BYTES} characters: is this really CSV, "
                "with a line for each row?"
            )
        return line


def _header(reader: Iterator[Line], signature: InputSignature) -> Line:
    try:
        names = next(filter(None, reader), [])
    except csv.Error as error:
        raise InputInvalid(f"The first line cannot be read as CSV: {error}.") from None
    if not names:
        raise InputInvalid("The input is empty: the first line must name the columns.")
    names = [name.strip() for name in names]
    _require_text("".join(names))
    if not signature.takes_text and all(map(_is_number, names)):
        raise InputInvalid(
            f"The first line must name the columns, but it holds numbers: {', '.join(names)[:100]}. "
            "Put a line with the names before it."
        )
    return names


def _require_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputInvalid("The first line is not UTF-8 text: save the file as UTF-8.") from None


def _some(reader: Iterator[Line], lines: _Lines, most: int) -> list[Line | str]:
    """Read the next rows; a text instead of cells is the reason why a row cannot be read."""
    rows: list[Line | str] = []
    end = lines.characters + MAX_BYTES
    while len(rows) < most and lines.characters < end:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            rows.append(f"cannot be read as CSV: {error} (line {lines.number}; is a quote never closed?)")
            continue
        if row:
            rows.append(row)
    return rows


class _Table:
    def __init__(self, names: Line, layout: Layout, limits: Limits) -> None:
        self.names = names
        self.layout = layout
        self.limits = limits
        self.is_matrix = layout.is_matrix
        # A key that is a feature too is wanted as its text and as its number.
        places = {feature.place for feature in layout.features}
        self.is_usual = self.is_matrix and places.isdisjoint(layout.keys.values())
        self.rows_at_once = rows_at_once(
            max(len(names), len(layout.features)),
            name_characters=len("".join(names)),
            is_matrix=self.is_matrix,
        )
        self._columns = [read_column(feature.column) for feature in layout.features]
        self._cells = [read_cell(feature.column) for feature in layout.features]

    def read(self, rows: list[Line | str]) -> Block:
        misshapen = self._misshapen(rows)
        # In the place of a row that is none stands another: a blank one would make every column unusual.
        filler = next((row for place, row in enumerate(rows) if place not in misshapen), [""] * self._width)
        whole: list[Any] = [filler if place in misshapen else row for place, row in enumerate(rows)]
        columns: list[Sequence[str]] = list(zip(*whole, strict=True))
        self._require_cells(columns)
        found: dict[int, list[str]] = {}
        values = self._values(columns, found, len(rows))
        unfit = {place: "; ".join(texts[:_MOST_PROBLEMS]) for place, texts in found.items()}
        keys = {name: _key(columns[place], misshapen) for name, place in self.layout.keys.items()}
        return Block(values, unfit | misshapen, keys)

    @property
    def _width(self) -> int:
        return len(self.names)

    def _require_cells(self, columns: list[Sequence[str]]) -> None:
        most = self.limits.cell_bytes
        for name, cells in zip(self.names, columns, strict=True):
            if max(map(len, cells)) > most:
                raise CellTooLarge(
                    next(row for row, cell in enumerate(cells) if len(cell) > most), name, most
                )

    def _misshapen(self, rows: list[Line | str]) -> dict[int, str]:
        width = self._width
        wrong = [place for place, row in enumerate(rows) if not isinstance(row, list) or len(row) != width]
        return {place: _described(rows[place], width) for place in wrong}

    def _values(self, columns: list[Sequence[str]], found: dict[int, list[str]], rows: int) -> Any:
        features = self.layout.features
        values = [self._feature(index, columns, found, rows) for index in range(len(features))]
        # A matrix has no booleans; not every model takes them for numbers.
        if self.is_matrix and not any(bool in set(map(type, column)) for column in values):
            return Matrix.of_columns(values, rows)
        if self.layout.single:
            return list(values[0])
        if self.layout.named:
            names = [feature.column.name for feature in features]
            return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
        return list(zip(*values, strict=True))

    def _feature(
        self, index: int, columns: list[Sequence[str]], found: dict[int, list[str]], rows: int
    ) -> Sequence[Any]:
        place = self.layout.features[index].place
        if place is None:
            return [None] * rows
        try:
            return self._columns[index](columns[place])
        except ValueError:
            return self._each(self.names[place], self._cells[index], columns[place], found)

    def _each(self, name: str, read: Cell, cells: Sequence[str], found: dict[int, list[str]]) -> list[Any]:
        values: list[Any] = [None] * len(cells)
        for place, cell in enumerate(cells):
            try:
                values[place] = read(cell)
            except CellUnfit as error:
                found.setdefault(place, []).append(f"{name} {error}")
        return values


def _key(cells: Sequence[str], misshapen: dict[int, str]) -> list[Any]:
    if "".join(cells).isascii():
        found: list[Any] = list(cells)
    else:
        found = [cell.encode(errors="replace").decode() for cell in cells]
    for place in misshapen:
        found[place] = None
    return found


def _described(row: Line | str, width: int) -> str:
    if isinstance(row, str):
        return row
    return f"has {counted(len(row), 'cell')}, but the first line names {counted(width, 'column')}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
