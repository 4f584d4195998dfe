"""Predictions without ASGI: the same steps as Server's, through the fast path's protocol."""

import asyncio
import sys
import time
from collections.abc import Coroutine, Mapping
from http import HTTPStatus
from typing import Any

from modelport_http.fast_path.protocol import Exchange, Headers
from modelport_http.middleware import HSTS, SECURITY_HEADERS
from modelport_http.problem import Problem, body, content_type_of, headers_of
from modelport_http.stopping import stopping
from modelport_process.logging import access_lines, current_request_id, request_id_for

from modelport_gateway.http.client_addresses import ClientAddresses
from modelport_gateway.http.handler import PredictionHandler
from modelport_gateway.http.server import content_headers, server_timing
from modelport_gateway.outcome import PredictionRequest, PredictionResponse, Response
from modelport_gateway.request.paths import RequestHeaders, Target, parse_target

_JSON = "content-type: application/json\r\n"


class ResponseLines:
    """`serves_browsers`: responses differ by origin, though those sent here are for no origin."""

    def __init__(self, *, serves_browsers: bool) -> None:
        fixed = SECURITY_HEADERS | ({"Vary": "Origin"} if serves_browsers else {})
        self._fixed = {
            "http": _lines(fixed),
            "https": _lines(fixed | {"Strict-Transport-Security": HSTS}),
        }

    def head(self, response: PredictionResponse, seconds: float, *, request_id: str, scheme: str) -> bytes:
        """Return the head. `seconds`: since the request came."""
        content = _JSON if response.json_bytes is None else _content_lines(response)
        return (
            f"HTTP/1.1 200 OK\r\n{content}"
            f"x-modelport-version: {response.version}\r\nx-cache: {response.cache}\r\n"
            f"server-timing: {server_timing(response, seconds)}\r\n{_lines(response.headers)}"
            f"{self._fixed[scheme]}x-request-id: {request_id}\r\n"
        ).encode("latin-1")

    def problem(
        self, problem: Problem, *, request_id: str, scheme: str, path: str, accept: str | None
    ) -> tuple[bytes, bytes]:
        """Return head and body."""
        status = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n"
        content_type = f"content-type: {content_type_of(path, accept)}\r\n"
        # Whether the connection stays is the protocol's to say.
        own = {name: value for name, value in headers_of(problem).items() if name != "connection"}
        lines = f"{_lines(own)}{self._fixed[scheme]}x-request-id: {request_id}\r\n"
        return (status + content_type + lines).encode("latin-1"), body(problem, request_id, path=path)


def _content_lines(response: PredictionResponse) -> str:
    content_type, headers = content_headers(response)
    return f"content-type: {content_type}\r\n{_lines(headers)}"


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name.lower()}: {value}\r\n" for name, value in headers.items()])


def _begun(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Run it at once, as far as it need not wait: most of what is cached, to its end."""
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=loop, eager_start=True)
    return loop.create_task(work)


_KEPT_TARGETS = 10_000


class FastPath:
    """The fast path's handler. `serves_browsers`: requests of other origins are the ASGI app's."""

    def __init__(
        self, handler: PredictionHandler, *, addresses: ClientAddresses, serves_browsers: bool
    ) -> None:
        self._handler = handler
        self._addresses = addresses
        self._serves_browsers = serves_browsers
        self._lines = ResponseLines(serves_browsers=serves_browsers)
        self._targets: dict[bytes, Target] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def takes(self, target: bytes, headers: Headers) -> bool:
        if self._serves_browsers and any(name == b"origin" for name, _ in headers):
            return False
        return self._target(target) is not None

    def begin(self, exchange: Exchange) -> None:
        target = self._target(exchange.target)
        if target is None:
            raise ValueError("a request that is none for a model was taken")
        task = _begun(self._serve(exchange, target))
        if not task.done():
            # The event loop itself does not keep a task that waits.
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            exchange.on_cancel = task.cancel

    def _target(self, path: bytes) -> Target | None:
        if known := self._targets.get(path):
            return known
        target = parse_target(path.decode("latin-1"))
        if target is None or target.call.method != "POST":
            return None
        if len(self._targets) >= _KEPT_TARGETS:
            self._targets.clear()
        self._targets[path] = target
        return target

    async def _serve(self, exchange: Exchange, target: Target) -> None:
        started = time.perf_counter()
        headers = RequestHeaders(exchange.headers)
        ip, address = self._addresses.find(exchange.client[0] if exchange.client else "", headers)
        request_id = request_id_for(headers.get(b"x-request-id") or "")
        current_request_id.set(request_id)  # In this task alone.
        path = exchange.target.decode("latin-1")
        request = PredictionRequest(target, path, headers, address, request_id, started)
        with self._handler.in_flight:
            outcome = await self._handler.handle(request, exchange.body)
            try:
                self._write(exchange, request, outcome.response)
            finally:
                seconds = self._handler.record(request, outcome)
                access_lines().add("POST", path, outcome.status, seconds, client_ip=ip, request_id=request_id)

    def _write(self, exchange: Exchange, request: PredictionRequest, response: Response) -> None:
        if type(response) is PredictionResponse:
            seconds = time.perf_counter() - request.started
            head = self._lines.head(response, seconds, request_id=request.request_id, scheme=exchange.scheme)
            exchange.respond(head, response.body)
            return
        # Nothing else is left: who leaves does not end a request, and only the end of a graceful stop does.
        problem = response if isinstance(response, Problem) else stopping()
        head, body = self._lines.problem(
            problem,
            request_id=request.request_id,
            scheme=exchange.scheme,
            path=request.path,
            accept=request.headers.get(b"accept"),
        )
        exchange.respond(head, body)
