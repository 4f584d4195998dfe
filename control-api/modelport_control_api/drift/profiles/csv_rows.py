"""Rows of a CSV file, one at a time, with what is wrong named by line and column."""

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from modelport_http.wording import counted

from modelport_control_api.errors import DomainError


class ReferenceInvalid(Exception):
    """The file is no table that can be a reference. The message names line and column, and what to do."""


class ReferenceNotFound(DomainError):
    """The version has none."""

    status = 404


MAX_COLUMNS = 1000
_LONGEST_NAME = 200
_LONGEST_ROW = 1_000_000
"""In characters: of commas alone a file could stand for many times its size."""
_DELIMITERS = ",;\t"
# The event loop's thread gets its turn: parsing holds the interpreter's lock.
_ROWS_BETWEEN_TURNS = 100


@contextmanager
def open_rows(path: Path) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """Return the header's names, and the rows with the number of the line that each ends in.

    Raises ReferenceInvalid, also while the rows are read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file, _explained():
        delimiter = _delimiter_of(file.readline(_LONGEST_ROW))
        file.seek(0)
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        header = _header(next(reader, []))
        yield header, _rows(reader, lines, header)


def _delimiter_of(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _header(row: list[str]) -> list[str]:
    names = [name.strip() for name in row]
    if not any(names):
        raise ReferenceInvalid("line 1 must be a header with the names of the columns")
    if len(names) > MAX_COLUMNS:
        raise ReferenceInvalid(f"has {counted(len(names), 'column')}; at most {MAX_COLUMNS} can be compared")
    if any(len(name) > _LONGEST_NAME or not name.isprintable() for name in names):
        raise ReferenceInvalid(
            f"line 1 names a column with more than {_LONGEST_NAME} characters, or some that cannot be printed"
        )
    for at, name in enumerate(names):
        if name in names[:at]:
            raise ReferenceInvalid(f"line 1 names the column {name!r} twice")
    return names


class _Lines:
    """A file's lines, as long as they do not make a row that is too long."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._number = self._taken = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(_LONGEST_ROW + 1)
        self._number += 1
        self._taken += len(line)
        if self._taken > _LONGEST_ROW:
            raise ReferenceInvalid(
                f"line {self._number} makes a row of more than {_LONGEST_ROW} characters, the most for one"
            )
        if not line:
            raise StopIteration
        return line

    def begin_row(self) -> None:
        self._taken = 0


def _rows(reader: Any, lines: _Lines, header: list[str]) -> Iterator[tuple[int, list[str]]]:
    lines.begin_row()
    for count, row in enumerate(reader, 1):
        lines.begin_row()
        if count % _ROWS_BETWEEN_TURNS == 0:
            time.sleep(0)
        if not row:
            continue
        if len(row) != len(header):
            raise ReferenceInvalid(
                f"line {reader.line_num} has {counted(len(row), 'field')}, and the header has {len(header)}"
            )
        yield reader.line_num, row


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise ReferenceInvalid(f"is not UTF-8 text (byte {error.start} of a piece of it)") from None
    except csv.Error as error:
        raise ReferenceInvalid(f"is not a CSV file: {error}") from None
