"""Answers compressed for who asks for nothing else.

Most clients offer gzip without a thought, and nearer to the gateway than a slow line it only costs time. One
that names a single encoding, as Triton's does when it is told to, means it.
"""

import asyncio
from dataclasses import replace

from modelport_http.content_encoding import deflate

from modelport_gateway.prediction import Answer
from modelport_gateway.request.paths import RequestHeaders

_ENCODINGS = frozenset({"gzip", "deflate"})
_LEAST_BYTES = 1024
_MOST_BYTES_AT_ONCE = 64 * 1024


def wanted_encoding(headers: RequestHeaders, answer: Answer) -> str | None:
    """Give how to compress this answer. None: not at all."""
    if len(answer.body) < _LEAST_BYTES:
        return None
    asked = headers.get(b"accept-encoding")
    return asked if asked in _ENCODINGS else None


async def encoded(answer: Answer, encoding: str) -> Answer:
    """Give the answer as it goes out; a large one is compressed beside the event loop."""
    if len(answer.body) > _MOST_BYTES_AT_ONCE:
        body = await asyncio.to_thread(deflate, answer.body, encoding)
    else:
        body = deflate(answer.body, encoding)
    return replace(answer, body=body, headers={**answer.headers, "Content-Encoding": encoding})
