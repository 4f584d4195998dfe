"""What a pod's reply says about the rows that it was asked. A stranger wrote it: all is checked."""

import re
from typing import Any

import orjson

from modelport_control_api.batch_worker.bisection import Predicted, Refused, RowsRefused, Verdict

_FIELD = re.compile(r"inputs\[(\d+)\](?:\.?(.*))", re.DOTALL)
_MOST_CHARACTERS = 500


def read_reply(status: int, body: bytes, rows: int, *, probabilities: bool) -> Verdict:
    """`rows`: how many were asked; `probabilities`: whether those were asked for."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        return Refused("The model's pod answered with what is no JSON object.")
    if status == 200:
        return _predicted(said, rows, len(body), probabilities=probabilities)
    return _rows_refused(said.get("errors"), rows) or Refused(_text(said))


def _predicted(said: dict[str, Any], rows: int, size: int, *, probabilities: bool) -> Verdict:
    predictions, given = said.get("predictions"), said.get("probabilities") if probabilities else None
    if not _is_list_of(rows, predictions) or (probabilities and not _is_list_of(rows, given)):
        return Refused("The model's pod answered with another number of predictions than of rows.")
    return Predicted(predictions, given, size)  # type: ignore[arg-type]  # checked above


def _is_list_of(rows: int, value: Any) -> bool:
    return isinstance(value, list) and len(value) == rows


def _rows_refused(errors: Any, rows: int) -> RowsRefused | None:
    if not isinstance(errors, list):
        return None
    by_row: dict[int, list[str]] = {}
    for error in errors:
        found = _FIELD.fullmatch(str(error.get("field", ""))) if isinstance(error, dict) else None
        if found is None or int(found[1]) >= rows:
            return None
        text = " ".join(part for part in (found[2], str(error.get("message", ""))) if part)
        by_row.setdefault(int(found[1]), []).append(text)
    told = {row: "; ".join(texts)[:_MOST_CHARACTERS] for row, texts in by_row.items()}
    return RowsRefused(told, named=len(errors)) if told else None


def _text(said: dict[str, Any]) -> str:
    words = [str(said[name]) for name in ("title", "detail") if said.get(name)]
    return ": ".join(words)[:_MOST_CHARACTERS] or "The model's pod refused the rows without a word."
