"""A model's error, rebuilt from a few bounded texts: nothing else of it reaches the caller."""

from typing import Any

import orjson
from modelport_crds.reasons import Reason
from modelport_edge.problem import FieldError, Problem

from modelport_gateway.upstream import INFER_PATH, UpstreamAnswer, UpstreamCall
from modelport_gateway.upstream_errors import UpstreamMisbehaved

_MAX_TEXT = 2000
_MAX_ERRORS = 100
_RETRY_AFTER = {"Retry-After": "1"}
_FALLBACK_DETAIL = "The model refused the request and gave no reason; its version's logs may say more."
_REASONS = frozenset(Reason)


def rebuild_problem(answer: UpstreamAnswer) -> Problem:
    """Read an error answer of a model. What cannot be read is left out; the status is kept."""
    said = _read(answer.body)
    reason = said.get("reason")
    return Problem(
        status=answer.status,
        detail=_text(said.get("detail")) or _FALLBACK_DETAIL,
        reason=Reason(reason) if isinstance(reason, str) and reason in _REASONS else None,
        errors=_errors(said.get("errors")),
        headers=_RETRY_AFTER if answer.status == 503 else None,
    )


def require_tensors(call: UpstreamCall, answer: UpstreamAnswer) -> None:
    """Check an answer that says to have binary tensors behind its JSON. Raises UpstreamMisbehaved."""
    length = answer.json_bytes or 0
    if call.path != INFER_PATH or length > len(answer.body) or not _read(answer.body[:length]):
        raise UpstreamMisbehaved("its answer has no JSON where it says so")


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _text(value: Any) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) else ""


def _errors(value: Any) -> list[FieldError]:
    if not isinstance(value, list):
        return []
    entries = [entry for entry in value[:_MAX_ERRORS] if isinstance(entry, dict)]
    return [{"field": _text(entry.get("field")), "message": _text(entry.get("message"))} for entry in entries]
