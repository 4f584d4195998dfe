"""Rows of kept predictions, as a predict body's input has them, for what sends them to a version again."""

from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.history.tables import KeptPrediction

_LOOKED_AT = 5000
_HIDDEN = '"[redacted]"'


def newest_rows(
    session: Session, model_id: str, *, limit: int, version: str | None = None, of_each: int | None = None
) -> list[Any]:
    """Return the newest rows that were predicted; by this version, if one is named.

    `of_each`: so many of a request at most; None: all of them.
    Left out: what was refused, too long to be kept, hidden in part, or sent by the Open Inference Protocol.
    """
    query = (
        select(KeptPrediction.request)
        .where(KeptPrediction.model_id == model_id)
        .where(KeptPrediction.status == 200, KeptPrediction.request.is_not(None))
        .order_by(KeptPrediction.created_at.desc(), KeptPrediction.id.desc())
        .limit(_LOOKED_AT)
    )
    if version is not None:
        query = query.where(KeptPrediction.version == version)
    rows: list[Any] = []
    for request in session.scalars(query):
        if request is not None and _HIDDEN not in request:
            rows += _rows_of(request)[:of_each]
        if len(rows) >= limit:
            break
    return rows[:limit]


def _rows_of(request: str) -> list[Any]:
    try:
        body = orjson.loads(request)
    except orjson.JSONDecodeError:
        return []
    if not isinstance(body, dict):
        return []
    if "input" in body:
        return [body["input"]]
    rows = body.get("inputs")
    if not isinstance(rows, list) or any(isinstance(each, dict) and "datatype" in each for each in rows):
        return []
    return rows
