"""One call to one replica of a model: whatever it returns is untrusted, believed as far as it was
looked at.
"""

import asyncio
import re
import time
from typing import Any, NamedTuple

import msgspec
import orjson
from modelport_crds.reasons import Reason
from modelport_http.problem import FieldError, Problem

from modelport_gateway.metrics import UPSTREAM_ERRORS
from modelport_gateway.routing.routes import Endpoint
from modelport_gateway.upstream.pool import Connections, Pool
from modelport_gateway.upstream.response_reader import (
    ClosedWithoutResponse,
    EndpointUnreachable,
    UpstreamMisbehaved,
    UpstreamTimeout,
)

INFER_PATH = "/v2/infer"
_AVOIDED_SECONDS = 5.0


class UpstreamResponse(NamedTuple):
    """Bounded in size, of a known status, JSON or tensors by its own word; nothing else has been checked."""

    status: int
    body: bytes
    seconds: float
    json_bytes: int | None = None
    """By its own word too: the length of the JSON in front of binary tensors."""


class UpstreamCall(NamedTuple):
    method: str
    path: str
    body: bytes | None
    request_id: str
    json_bytes: int | None = None
    """The length of the JSON in front of binary tensors."""


class Upstream:
    def __init__(self, connections: Connections, *, max_answer_bytes: int) -> None:
        self._connections = connections
        self._max_answer_bytes = max_answer_bytes

    async def send(self, endpoint: Endpoint, call: UpstreamCall, *, due: float) -> UpstreamResponse:
        """Send once. `due`: when to give up, by the event loop's clock.

        Raises EndpointUnreachable, UpstreamTimeout or UpstreamMisbehaved.
        """
        endpoint.in_flight += 1
        try:
            return await self._send(self._connections.pool(endpoint.address), call, due)
        except (EndpointUnreachable, UpstreamTimeout, UpstreamMisbehaved) as error:
            UPSTREAM_ERRORS.labels(type(error).__name__).inc()
            if isinstance(error, EndpointUnreachable):
                _avoid_for_a_while(endpoint)
            raise
        finally:
            endpoint.in_flight -= 1

    async def _send(self, pool: Pool, call: UpstreamCall, due: float) -> UpstreamResponse:
        started, head, body = time.perf_counter(), _head(pool, call), call.body or b""
        connection = pool.take() or await pool.wait(due=due)
        while True:
            was_used = connection.last_sent_at > 0
            try:
                status, response, json_bytes = await connection.send(
                    head, body, due=due, max_answer_bytes=self._max_answer_bytes
                )
                return UpstreamResponse(status, response, time.perf_counter() - started, json_bytes)
            except ClosedWithoutResponse as error:
                # An idle connection may be closed by the runtime at the moment that it is used here.
                if not was_used:
                    raise EndpointUnreachable(str(error)) from None
            finally:
                pool.give_back(connection)
            connection = await pool.wait(due=due, fresh=True)


def _head(pool: Pool, call: UpstreamCall) -> bytes:
    beginning = pool.heads.get((call.method, call.path)) or _beginning(pool, call)
    length = b"" if call.body is None else b"Content-Length: %d\r\n" % len(call.body)
    if call.json_bytes is not None:
        length += b"Inference-Header-Content-Length: %d\r\n" % call.json_bytes
    return b"%bX-Request-ID: %b\r\n%b\r\n" % (beginning, call.request_id.encode(), length)


def _beginning(pool: Pool, call: UpstreamCall) -> bytes:
    # Only these headers: a model must never see a caller's credential, cookies or address.
    head = (
        f"{call.method} {call.path} HTTP/1.1\r\nHost: {pool.host}\r\n"
        "Accept: */*\r\nContent-Type: application/json\r\n"
    )
    beginning = pool.heads[call.method, call.path] = head.encode()
    return beginning


def _avoid_for_a_while(endpoint: Endpoint) -> None:
    """A host that has died is taken for ready until its cluster notices: each try costs a caller time."""
    endpoint.failures += 1

    def forgive() -> None:
        endpoint.failures -= 1

    asyncio.get_running_loop().call_later(_AVOIDED_SECONDS, forgive)


_MAX_TEXT = 2000
_MAX_ERRORS = 100
_RETRY_AFTER = {"Retry-After": "1"}
_FALLBACK_DETAIL = "The model refused the request and gave no reason; its version's logs may say more."
_REASONS = frozenset(Reason)
# Reads all and makes nothing of it: a microsecond for a usual response.
_skim = msgspec.json.Decoder(msgspec.Raw).decode
# Texts of a model may hold lone ones, which JSON can write and msgspec refuses.
_SURROGATE, _SAME_LENGTH = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"), rb"\\u0020"


def rebuild_problem(response: UpstreamResponse) -> Problem:
    """Read an error response of a model. What cannot be read is left out; the status is kept."""
    problem = _read(response.body)
    reason = problem.get("reason")
    return Problem(
        status=response.status,
        detail=_text(problem.get("detail")) or _FALLBACK_DETAIL,
        reason=Reason(reason) if isinstance(reason, str) and reason in _REASONS else None,
        errors=_errors(problem.get("errors")),
        headers=_RETRY_AFTER if response.status == 503 else None,
    )


def check_good(call: UpstreamCall, response: UpstreamResponse) -> None:
    """Raises UpstreamMisbehaved unless the response is JSON, or a JSON object with binary tensors behind."""
    length = response.json_bytes
    if length is not None and not _may_be_tensors(call, response.body, length):
        raise UpstreamMisbehaved("its response has no JSON where it says so")
    if not _is_json(response.body[:length]):
        raise UpstreamMisbehaved("its response is not JSON")


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
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return read if isinstance(read, dict) else {}


def _text(value: Any) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) else ""


def _errors(value: Any) -> list[FieldError]:
    if not isinstance(value, list):
        return []
    entries = [entry for entry in value[:_MAX_ERRORS] if isinstance(entry, dict)]
    return [{"field": _text(entry.get("field")), "message": _text(entry.get("message"))} for entry in entries]
