"""What a model says, believed only as far as it was looked at.

A good answer goes on as it is, once it is known to be JSON. An error is rebuilt from a few bounded texts, and
nothing else of it reaches the caller.
"""

import re
from typing import Any

import msgspec
import orjson
from modelport_crds.reasons import Reason
from modelport_http.problem import FieldError, Problem

from modelport_gateway.upstream.errors import UpstreamMisbehaved
from modelport_gateway.upstream.replica import INFER_PATH, UpstreamAnswer, UpstreamCall

_MAX_TEXT = 2000
_MAX_ERRORS = 100
_RETRY_AFTER = {"Retry-After": "1"}
_FALLBACK_DETAIL = "The model refused the request and gave no reason; its version's logs may say more."
_REASONS = frozenset(Reason)
# Reads all and makes nothing of it: a microsecond for a usual answer.
_skim = msgspec.json.Decoder(msgspec.Raw).decode
# Texts of a model may hold lone ones, which JSON can write and msgspec refuses.
_SURROGATE, _SAME_LENGTH = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"), rb"\\u0020"


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


def check_good(call: UpstreamCall, answer: UpstreamAnswer) -> None:
    """Raises UpstreamMisbehaved unless the answer is JSON, or a JSON object with binary tensors behind."""
    length = answer.json_bytes
    if length is not None and not _may_be_tensors(call, answer.body, length):
        raise UpstreamMisbehaved("its answer has no JSON where it says so")
    if not _is_json(answer.body[:length]):
        raise UpstreamMisbehaved("its answer is not JSON")


def _may_be_tensors(call: UpstreamCall, body: bytes, length: int) -> bool:
    return call.path == INFER_PATH and length <= len(body) and body.startswith(b"{")


def _is_json(body: bytes) -> bool:
    return _is_usual_json(body) or _is_usual_json(_SURROGATE.sub(_SAME_LENGTH, body))


def _is_usual_json(body: bytes) -> bool:
    try:
        _skim(body)
        return body.isascii() or bool(body.decode())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


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
