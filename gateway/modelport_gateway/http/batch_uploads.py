"""Files for batch jobs, passed on to the control API as they come: neither side holds more than a piece."""

import re
from collections.abc import AsyncIterator

import httpx
from modelport_http.problem import Problem
from modelport_process.logging import request_id_of
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

_PATH = re.compile(r"/api/v1/predict/[^/]{1,127}(?:/versions/[^/]{1,63})?/batch")
# What the control API reads of a request; the credential is for it to judge.
_PASSED_ON = frozenset(
    {b"authorization", b"x-api-key", b"content-type", b"content-length", b"idempotency-key"}
)
_GIVEN_BACK = frozenset(
    {
        "content-type",
        "content-length",
        "location",
        "cache-control",
        "www-authenticate",
        "retry-after",
        "ratelimit",
        "ratelimit-policy",
    }
)
# It reads a file of a gigabyte to its end and stores it before it responds.
_TIMEOUT = httpx.Timeout(600, connect=5, pool=5)


def is_batch_path(path: str) -> bool:
    """Return whether the whole path is that of a new batch job, of a model or of one of its versions."""
    return _PATH.fullmatch(path) is not None


class BatchJobs:
    """Plain ASGI, for what `is_batch_path` knows. `control` speaks to the control API's internal app."""

    def __init__(self, control: httpx.AsyncClient) -> None:
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises `Problem` where the control API does not respond."""
        if scope["method"] != "POST":
            raise Problem(status=405, detail="Use POST here.", headers={"Allow": "POST"})
        request = self._control.build_request(
            "POST",
            httpx.URL(path=scope["path"], query=scope["query_string"]),
            headers=_headers(scope),
            content=_body(receive),
            timeout=_TIMEOUT,
        )
        try:
            response = await self._control.send(request, stream=True)
        except httpx.TransportError as error:
            raise Problem(
                status=503,
                detail="The control API, which takes batch jobs, does not answer. Try again shortly.",
                headers={"Retry-After": "5"},
            ) from error
        try:
            await _give_back(response, send)
        finally:
            await response.aclose()


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    found = [(name, value) for name, value in scope["headers"] if name in _PASSED_ON]
    return [*found, (b"x-request-id", request_id_of(scope).encode("latin-1"))]


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    """Each piece is requested when the one before has left: the slower side sets the pace."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        if piece := message.get("body", b""):
            yield piece


async def _give_back(response: httpx.Response, send: Send) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.items()
        if name in _GIVEN_BACK
    ]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    async for piece in response.aiter_raw():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
