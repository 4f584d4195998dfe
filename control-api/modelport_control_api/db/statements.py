"""Statements that SQLAlchemy has for each database by itself, and how many rows one may have."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

# Their parameters stay far below what SQLite (32,766) and PostgreSQL (65,535) take.
_ROWS = 1000

_Row = TypeVar("_Row")


def insert(session: Session, table: Any) -> Any:
    """Return an insert that may say what is to be done where a row is there already (`on_conflict_…`)."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def slices(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Yield as many rows at a time as one statement takes."""
    for begin in range(0, len(rows), _ROWS):
        yield list(rows[begin : begin + _ROWS])
