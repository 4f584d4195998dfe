"""Reads a request's body, whole and bounded, and finds out what it is."""

import asyncio

from modelport_http.content_encoding import Undecodable, inflate
from modelport_http.middleware import body_too_large
from modelport_http.problem import Problem
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from modelport_gateway.request.paths import Call, RequestHeaders

_JSON = "application/json"
_BINARY = "application/octet-stream"
_JSON_BYTES = b"inference-header-content-length"


def require_type(call: Call, headers: RequestHeaders) -> None:
    """Accept JSON, whatever has no type, and for `infer` binary tensors. Raises Problem 415."""
    content_type = headers.get(b"content-type")
    if content_type is None or content_type == _JSON:
        return
    plain = content_type.partition(";")[0].strip().lower()
    # Without its header it is a body that is JSON as a whole: aiohttp calls all bytes so.
    if plain != _JSON and not (plain == _BINARY and call is Call.INFER):
        raise Problem(status=415, detail="Send the body as JSON, with Content-Type: application/json.")


async def decoded(headers: RequestHeaders, body: bytes, *, max_bytes: int) -> bytes:
    """Return the body without its Content-Encoding. Raises Problem 400, 413 or 415."""
    encoding = headers.get(b"content-encoding")
    if encoding is None:
        return body
    try:
        # In a thread: a few bytes may become the largest body there is.
        return await asyncio.to_thread(inflate, body, encoding, max_bytes)
    except Undecodable as error:
        accepted = {"Accept-Encoding": "gzip, deflate"} if error.status == 415 else None
        raise Problem(status=error.status, detail=error.detail, headers=accepted) from None


def json_bytes_of(headers: RequestHeaders, size: int) -> int | None:
    """Return the length of the JSON in front of binary tensors; None: all is JSON. Raises Problem 400."""
    given = headers.get(_JSON_BYTES)
    if given is None:
        return None
    length = int(given) if given.isascii() and given.isdigit() and len(given) < 16 else 0
    if not 0 < length <= size:
        detail = (
            "Inference-Header-Content-Length must be the length of the JSON before the tensors, in bytes: "
            f"from 1 to {size} here."
        )
        raise Problem(status=400, detail=detail)
    return length if length < size else None


async def read_whole(receive: Receive, max_bytes: int) -> bytes:
    """Raises Problem 413, ClientDisconnect when the caller left."""
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
