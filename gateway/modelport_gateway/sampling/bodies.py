"""What of a request and its answer may leave the gateway, as JSON texts. Pure."""

from dataclasses import dataclass
from typing import Any

import orjson

from modelport_gateway.sampling.redaction import Redaction
from modelport_gateway.sampling.tap import Seen


@dataclass(frozen=True, slots=True)
class Bodies:
    """None: no JSON, or left out (`truncated`)."""

    request: str | None
    answer: str | None
    truncated: bool = False


NO_BODIES = Bodies(None, None, truncated=True)


def kept_bodies(seen: Seen) -> Bodies:
    """Read, redact and write again; where nothing is to be redacted, what was sent is kept as it is."""
    fields = frozenset(seen.route.history.redact_fields if seen.route.history else ())
    try:
        return _redacted(seen, fields) if fields else Bodies(_json_text(seen.body), _json_text(seen.answer))
    except RecursionError:
        # Nested so deeply that it cannot be searched.
        return NO_BODIES


def _redacted(seen: Seen, fields: frozenset[str]) -> Bodies:
    redaction = Redaction(fields, seen.version.canonical)
    request = _parsed(seen.body)
    # The answer after the request, whose hidden values it may repeat.
    shown = None if request is None else _text(redaction.request(seen.call, request))
    answer = _parsed(seen.answer)
    if answer is None:
        return Bodies(shown, None)
    return Bodies(shown, _text(redaction.answer(answer) if seen.status < 400 else redaction.problem(answer)))


def _parsed(body: bytes) -> Any:
    """None: it is no JSON, or null."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _json_text(body: bytes) -> str | None:
    return None if _parsed(body) is None else body.decode()


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
