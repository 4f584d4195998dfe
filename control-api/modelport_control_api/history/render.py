"""Stored predictions as JSON, with their bodies exact, and as CSV that a spreadsheet may open."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from modelport_control_api.db.paging import Page
from modelport_control_api.history.tables import KeptPrediction

COLUMNS = (
    "id", "at", "version", "status", "reason", "cache", "seconds", "caller_id", "api_key_id", "request_id",
    "request_bytes", "truncated", "request", "answer",
)  # fmt: skip
# A spreadsheet computes what begins with one of these; some skip white space before.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def lines(pages: Iterable[Sequence[KeptPrediction]]) -> Iterator[bytes]:
    """Return the header, then the lines of each page in one piece."""
    yield _csv([COLUMNS])
    for page in pages:
        yield _csv([_cells(row) for row in page])


def _cells(row: KeptPrediction) -> tuple[object, ...]:
    return (
        row.id,
        row.created_at.isoformat().replace("+00:00", "Z"),
        _text(row.version),
        row.status,
        _text(row.reason),
        _text(row.cache),
        row.seconds,
        _text(row.caller_id),
        _text(row.api_key_id),
        _text(row.request_id),
        row.request_bytes,
        row.truncated,
        _text(row.request or ""),
        _text(row.answer or ""),
    )


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _csv(rows: Iterable[Sequence[object]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def page(found: Page[KeptPrediction]) -> bytes:
    """In the shape of `schemas.PredictionPage`."""
    return orjson.dumps({"items": [_plain(row) for row in found.items], "next_cursor": found.next_cursor})


def one(row: KeptPrediction) -> bytes:
    """In the shape of `schemas.PredictionAnswer`."""
    return orjson.dumps(_plain(row))


def _plain(row: KeptPrediction) -> dict[str, Any]:
    return {
        "id": row.id,
        "model_id": row.model_id,
        "version": row.version,
        "at": row.created_at.isoformat().replace("+00:00", "Z"),
        "caller_id": row.caller_id or None,
        "api_key_id": row.api_key_id or None,
        "request_id": row.request_id,
        "status": row.status,
        "reason": row.reason or None,
        "cache": row.cache,
        "seconds": row.seconds,
        "request": _json(row.request),
        "request_bytes": row.request_bytes,
        "answer": _json(row.answer),
        "truncated": row.truncated,
    }


def _json(text: str | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)
