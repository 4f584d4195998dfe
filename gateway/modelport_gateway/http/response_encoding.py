"""Responses compressed for clients that accept nothing else.

Most clients offer gzip without a thought, and nearer to the gateway than a slow line it only costs time. One
that names a single encoding, as Triton's does when it is configured to, means it.
"""

import asyncio
from dataclasses import replace

from modelport_http.content_encoding import deflate

from modelport_gateway.outcome import PredictionResponse
from modelport_gateway.request.paths import RequestHeaders

_ENCODINGS = frozenset({"gzip", "deflate"})
_LEAST_BYTES = 1024
_MOST_BYTES_AT_ONCE = 64 * 1024


def wanted_encoding(headers: RequestHeaders, response: PredictionResponse) -> str | None:
    """Return how to compress this response. None: not at all."""
    if len(response.body) < _LEAST_BYTES:
        return None
    accepted = headers.get(b"accept-encoding")
    return accepted if accepted in _ENCODINGS else None


async def encoded(response: PredictionResponse, encoding: str) -> PredictionResponse:
    """Return the response as it goes out; a large one is compressed beside the event loop."""
    if len(response.body) > _MOST_BYTES_AT_ONCE:
        body = await asyncio.to_thread(deflate, response.body, encoding)
    else:
        body = deflate(response.body, encoding)
    headers = {**response.headers, "Content-Encoding": encoding}
    return replace(response, body=body, headers=headers, plain=response.body)
