"""Plain ASGI middlewares of gateway and control API.

Not Starlette's BaseHTTPMiddleware: it costs a task and a stream a request.
"""

import time
from collections.abc import Callable, Sequence

import structlog
from modelport_process.logging import current_request_id, request_id_for, request_id_of
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelport_http.client_address import Network, client_ip
from modelport_http.problem import Problem, send_problem
from modelport_http.wording import counted

access_log = structlog.get_logger("modelport.access")


class RequestIdMiddleware:
    """Gives each request an id: the caller's `X-Request-ID` if it is sane, else a new one. Goes outermost."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = request_id_for(Headers(scope=scope).get("x-request-id", ""))
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        token = current_request_id.set(request_id)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            current_request_id.reset(token)


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Right for JSON; pages (/docs, the UI) send their own policy, which is kept.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
HSTS = "max-age=31536000; includeSubDomains"


class SecurityHeadersMiddleware:
    """Adds the headers a response does not have yet; HSTS on https only, where browsers heed it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope.get("scheme") == "https":
                    headers.setdefault("Strict-Transport-Security", HSTS)
            await send(message)

        await self.app(scope, receive, send_secured)


class AccessLogMiddleware:
    """One line a request. Never the query string, a header or a body: any of them may hold a secret."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        trusted_proxies: Sequence[Network] = (),
        quiet_paths: frozenset[str] = frozenset({"/healthz", "/readyz", "/metrics"}),
    ) -> None:
        self.app = app
        self.trusted_proxies = trusted_proxies
        self.quiet_paths = quiet_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self.quiet_paths:
            await self.app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        finally:
            self._log(scope, status, time.perf_counter() - started)

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        access_log.info(
            "request",
            method=scope["method"],
            path=route_path(scope),
            status=status,
            duration_ms=round(seconds * 1000, 2),
            client_ip=client_ip(scope, self.trusted_proxies),
            request_id=request_id_of(scope),
        )


def route_path(scope: Scope) -> str:
    """The route's template (`/predict/{id}`) once routed; else the path, cut."""
    path: str = getattr(scope.get("route"), "path", None) or scope["path"][:200]
    return path


class BodyLimitMiddleware:
    """Responds with 413 to a body of more bytes than `limit_for(scope)`; None: the route limits it itself."""

    def __init__(self, app: ASGIApp, *, limit_for: Callable[[Scope], int | None]) -> None:
        self.app = app
        self.limit_for = limit_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self.limit_for(scope) if scope["type"] == "http" else None
        if limit is None:
            await self.app(scope, receive, send)
        elif declared_length(scope) > limit:
            await send_problem(scope, send, body_too_large(limit))
        else:
            await _MeteredRequest(receive, send, limit).run(self.app, scope)


def declared_length(scope: Scope) -> int:
    """Content-Length, 0 where it is missing or no number."""
    text = Headers(scope=scope).get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def body_too_large(limit: int) -> Problem:
    """Return 413 for a body of more than `limit` bytes."""
    return Problem(
        status=413, detail=f"The request body is larger than {counted(limit, 'byte')}. Send less at once."
    )


class _BodyTooLarge(Exception):
    pass


class _MeteredRequest:
    """Ends with 413 whatever the app sends: FastAPI turns any exception while it reads a body into a 400."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive, self._send, self._left = receive, send, limit
        self._limit = limit
        self._begun = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self._metered_receive, self._guarded_send)
        except Exception:
            if self._left >= 0 or self._begun:
                raise
        if self._left < 0 and not self._begun:
            await send_problem(scope, self._send, body_too_large(self._limit))

    async def _metered_receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _BodyTooLarge
        return message

    async def _guarded_send(self, message: Message) -> None:
        if self._left >= 0 or self._begun:
            self._begun = True
            await self._send(message)
