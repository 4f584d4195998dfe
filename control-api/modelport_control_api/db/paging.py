"""Lists in pages, newest first: `{"items": […], "next_cursor": …}`."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session


class Listed(Protocol):
    """A table whose rows can be listed by age."""

    id: Any
    created_at: Any


Row = TypeVar("Row", bound=Listed)


class CursorInvalid(Exception):
    """Not a cursor that a list of ours gave."""


@dataclass(frozen=True)
class Page(Generic[Row]):
    items: Sequence[Row]
    next_cursor: str | None


def read_page(
    session: Session, query: Select[Any], table: type[Row], limit: int, cursor: str | None
) -> Page[Row]:
    """Read `limit` rows of `query` (a `select(table)`) after `cursor`. Raises `CursorInvalid`."""
    if cursor:
        query = query.where(_key(table) < tuple_(*decode_cursor(cursor)))
    rows = session.scalars(query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)).all()
    items = rows[:limit]
    last = items[-1] if len(rows) > limit else None
    return Page(items, encode_cursor(last.created_at, last.id) if last else None)


def _key(table: type[Listed]) -> ColumnElement[Any]:
    created_at: InstrumentedAttribute[datetime] = table.created_at
    return tuple_(created_at, table.id)


def encode_cursor(created_at: datetime, row_id: str) -> str:
    """Return the cursor of the page behind this row."""
    return base64.urlsafe_b64encode(f"{created_at.isoformat()}|{row_id}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """Raises `CursorInvalid`."""
    try:
        created_at, _, row_id = base64.urlsafe_b64decode(cursor + "==").decode().partition("|")
        moment = datetime.fromisoformat(created_at)
    except (ValueError, binascii.Error) as error:
        raise CursorInvalid(cursor) from error
    if moment.tzinfo is None or "\0" in row_id:
        raise CursorInvalid(cursor)
    return moment, row_id
