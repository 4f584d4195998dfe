"""Kept predictions as JSON, with their bodies as the texts that they are: exact, and however deep."""

from typing import Any

import orjson

from modelport_control_api.db.paging import Page
from modelport_control_api.history.tables import KeptPrediction


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
