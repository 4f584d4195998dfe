"""One port for all parts: predictions go to the gateway, everything else to the control API.

Files for batch jobs too, without the detour over the gateway that they take in Kubernetes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import httpx
from modelport_gateway.http.batch_uploads import is_batch_path
from modelport_http.middleware import RequestIdMiddleware, SecurityHeadersMiddleware
from modelport_http.problem import Problem, ProblemMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

_OWN_PATHS = ("/", "/readyz", "/metrics")
_GATEWAY_PATHS = ("/predict", "/api/v1/predict", "/v2")


class Front:
    """Plain ASGI: a router in front of the hot path would cost more than a cached answer."""

    def __init__(
        self, gateway: ASGIApp, control_api: ASGIApp, runtime_metrics: Callable[[], Awaitable[bytes]]
    ) -> None:
        self._gateway = gateway
        self._control_api = control_api
        self._runtime_metrics = runtime_metrics
        self._own = RequestIdMiddleware(SecurityHeadersMiddleware(ProblemMiddleware(self._answer)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path in _OWN_PATHS and scope["type"] == "http":
            await self._own(scope, receive, send)
        elif path.startswith(_GATEWAY_PATHS) and _is_whole(path) and not is_batch_path(path):
            await self._gateway(scope, receive, send)
        else:
            await self._control_api(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method not in ("GET", "HEAD"):
            raise Problem(status=405, detail="Use GET here.", headers={"Allow": "GET, HEAD"})
        answer = await self._answer_to(request)
        await answer(scope, receive, send)

    async def _answer_to(self, request: Request) -> Response:
        match request.url.path:
            case "/readyz":
                return await self._ready()
            case "/metrics":
                return await self._metrics(request)
            case _:
                return RedirectResponse("/ui/" if _is_browser(request) else "/docs")

    async def _ready(self) -> Response:
        parts = {"gateway": self._gateway, "control-api": self._control_api}
        ready = await asyncio.gather(*(_is_ready(part) for part in parts.values()))
        waiting = [name for name, is_ready in zip(parts, ready, strict=True) if not is_ready]
        if waiting:
            detail = f"Not ready yet: {', '.join(waiting)}."
            raise Problem(status=503, detail=detail, headers={"Retry-After": "1"})
        return JSONResponse({"status": "ready"})

    async def _metrics(self, request: Request) -> Response:
        page = await _get(self._control_api, "/metrics")
        models = await self._runtime_metrics() if _is_from_this_machine(request) else b""
        return Response(page.content + models, page.status_code, media_type=page.headers["Content-Type"])


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _is_from_this_machine(request: Request) -> bool:
    """The ids of everybody's models are nothing for strangers; a proxy here speaks for strangers."""
    forwarded = {"forwarded", "x-forwarded-for"} & set(request.headers)
    return request.client is not None and ip_address(request.client.host).is_loopback and not forwarded


def _is_whole(path: str) -> bool:
    """Not `/predictions`: the prefix must end where a part of the path does."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in _GATEWAY_PATHS)


async def _is_ready(part: ASGIApp) -> bool:
    return (await _get(part, "/readyz")).status_code == 200


async def _get(part: ASGIApp, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(part)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
        return await client.get(path)
