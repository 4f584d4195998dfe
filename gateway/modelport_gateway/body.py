"""Reads a request's body, whole and bounded."""

from modelport_edge.http import body_too_large, declared_length
from modelport_edge.problem import Problem
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

_JSON = "application/json"


async def read_json_body(scope: Scope, receive: Receive, *, max_bytes: int) -> bytes:
    """Give the bytes, not parsed. Raises Problem 413 or 415, ClientDisconnect when the caller left."""
    content_type = Headers(scope=scope).get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != _JSON:
        raise Problem(status=415, detail="Send the body as JSON, with Content-Type: application/json.")
    if declared_length(scope) > max_bytes:
        raise body_too_large(max_bytes)
    return await _read(receive, max_bytes)


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
