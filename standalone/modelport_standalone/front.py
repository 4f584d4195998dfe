"""One port for all parts: predictions go to the gateway, everything else to the control API."""

import asyncio

import httpx
from modelport_edge.http import RequestIdMiddleware, SecurityHeadersMiddleware
from modelport_edge.problem import Problem, ProblemMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

_GATEWAY_PATHS = ("/predict", "/api/v1/predict", "/v2")


class Front:
    """Plain ASGI: a router in front of the hot path would cost more than a cached answer."""

    def __init__(self, gateway: ASGIApp, control_api: ASGIApp) -> None:
        self._gateway = gateway
        self._control_api = control_api
        self._own = RequestIdMiddleware(SecurityHeadersMiddleware(ProblemMiddleware(self._answer)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path in ("/", "/readyz") and scope["type"] == "http":
            await self._own(scope, receive, send)
        elif path.startswith(_GATEWAY_PATHS) and _is_whole(path):
            await self._gateway(scope, receive, send)
        else:
            await self._control_api(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method not in ("GET", "HEAD"):
            raise Problem(status=405, detail="Use GET here.", headers={"Allow": "GET, HEAD"})
        answer = await self._ready() if request.url.path == "/readyz" else RedirectResponse("/docs")
        await answer(scope, receive, send)

    async def _ready(self) -> Response:
        parts = {"gateway": self._gateway, "control-api": self._control_api}
        ready = await asyncio.gather(*(_is_ready(part) for part in parts.values()))
        waiting = [name for name, is_ready in zip(parts, ready, strict=True) if not is_ready]
        if waiting:
            detail = f"Not ready yet: {', '.join(waiting)}."
            raise Problem(status=503, detail=detail, headers={"Retry-After": "1"})
        return JSONResponse({"status": "ready"})


def _is_whole(path: str) -> bool:
    """Not `/predictions`: the prefix must end where a part of the path does."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in _GATEWAY_PATHS)


async def _is_ready(part: ASGIApp) -> bool:
    transport = httpx.ASGITransport(part)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
        return (await client.get("/readyz")).status_code == 200
