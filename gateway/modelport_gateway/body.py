"""Reads a request's body, whole and bounded."""

from modelport_edge.http import body_too_large, declared_length
from modelport_edge.problem import Problem
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from modelport_gateway.request_headers import RequestHeaders

_JSON = "application/json"


async def read_json_body(scope: Scope, receive: Receive, *, max_bytes: int) -> bytes:
    """Give the bytes, not parsed. Raises Problem 413 or 415, ClientDisconnect when the caller left."""
    require_json(RequestHeaders(scope["headers"]))
    if declared_length(scope) > max_bytes:
        raise body_too_large(max_bytes)
    return await _read(receive, max_bytes)


def require_json(headers: RequestHeaders) -> None:
    """Raises Problem 415."""
    content_type = headers.get(b"content-type") or ""
    if content_type != _JSON and content_type.partition(";")[0].strip().lower() != _JSON:
        raise Problem(status=415, detail="Send the body as JSON, with Content-Type: application/json.")


async def _read(receive: Receive, max_bytes: int) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise body_too_large(max_bytes)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
