"""The gateway's HTTP: plain ASGI, since a framework's routing costs more than a cached answer."""

import asyncio
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version as distribution_version

import orjson
from modelport_edge.client_address import Network, bucket_address, client_ip
from modelport_edge.problem import Problem, send_problem
from modelport_edge.request_context import request_id_of
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from modelport_gateway.body import read_json_body
from modelport_gateway.metrics import LATENCY, REQUESTS
from modelport_gateway.paths import Call, Target, parse_target
from modelport_gateway.prediction import Answer, Asked, Prediction

_JSON = "application/json"


class Server:
    """One ASGI app. `is_ready` says whether the gateway can serve."""

    def __init__(
        self,
        prediction: Prediction,
        *,
        is_ready: Callable[[], bool],
        max_body_bytes: int,
        trusted_proxies: Sequence[Network],
    ) -> None:
        self.in_flight = 0
        self.idle = asyncio.Event()
        """Set while no prediction is under way."""
        self.idle.set()
        self._prediction = prediction
        self._is_ready = is_ready
        self._max_body_bytes = max_body_bytes
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        target = parse_target(scope["path"])
        if target is None:
            await self._fixed(scope, send)
            return
        self.in_flight += 1
        self.idle.clear()
        try:
            await self._model(target, scope, receive, send)
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self.idle.set()

    async def _model(self, target: Target, scope: Scope, receive: Receive, send: Send) -> None:
        _require_method(scope, target.call.method)
        started, status, cache = time.perf_counter(), 500, "none"
        try:
            answer = await self._answer(target, scope, receive)
            status, cache = 200, answer.cache
            await _send_answer(send, answer, time.perf_counter() - started)
        except Problem as problem:
            status = problem.status
            await send_problem(scope, send, problem)
        except ClientDisconnect:
            status = 499
            raise
        finally:
            REQUESTS.labels(f"{status // 100}xx", cache).inc()
            LATENCY.labels(cache).observe(time.perf_counter() - started)

    async def _answer(self, target: Target, scope: Scope, receive: Receive) -> Answer:
        address = bucket_address(client_ip(scope, self._trusted_proxies))
        asked = Asked(target, Headers(scope=scope), address, request_id_of(scope))
        granted = await self._prediction.grant(asked)
        if target.call is Call.READY:
            version = self._prediction.check_ready(asked, granted)
            return Answer(orjson.dumps({"name": target.model, "ready": True}), version.name)
        wants_body = target.call.method == "POST"
        body = await read_json_body(scope, receive, max_bytes=self._max_body_bytes) if wants_body else None
        return await self._prediction.answer(asked, granted, body)

    async def _fixed(self, scope: Scope, send: Send) -> None:
        answer = _FIXED.get(scope["path"])
        if answer is None:
            raise Problem(
                status=404, detail="There is nothing here. Predictions are at POST /predict/<model id>."
            )
        _require_method(scope, "GET")
        await answer(self, send)

    async def live(self, send: Send) -> None:
        await _send_json(send, 200, {"status": "ok"})

    async def ready(self, send: Send) -> None:
        self._require_ready()
        await _send_json(send, 200, {"status": "ok"})

    async def metrics(self, send: Send) -> None:
        await _send(send, 200, CONTENT_TYPE_LATEST, generate_latest())

    async def v2(self, send: Send) -> None:
        server = {"name": "modelport", "version": distribution_version("modelport"), "extensions": []}
        await _send_json(send, 200, server)

    async def v2_live(self, send: Send) -> None:
        await _send_json(send, 200, {"live": True})

    async def v2_ready(self, send: Send) -> None:
        self._require_ready()
        await _send_json(send, 200, {"ready": True})

    def _require_ready(self) -> None:
        if not self._is_ready():
            detail = "The gateway cannot serve yet: it waits for the routes or the signing keys."
            raise Problem(status=503, detail=detail, headers={"Retry-After": "1"})


_FIXED = {
    "/healthz": Server.live,
    "/readyz": Server.ready,
    "/metrics": Server.metrics,
    "/v2": Server.v2,
    "/v2/health/live": Server.v2_live,
    "/v2/health/ready": Server.v2_ready,
}


def _require_method(scope: Scope, method: str) -> None:
    if scope["method"] != method:
        raise Problem(status=405, detail=f"Use {method} here.", headers={"Allow": method})


async def _send_answer(send: Send, answer: Answer, seconds: float) -> None:
    model_ms = answer.model_seconds * 1000
    headers = {
        "X-Modelport-Version": answer.version,
        "X-Cache": answer.cache,
        "Server-Timing": f"gateway;dur={seconds * 1000 - model_ms:.2f}, model;dur={model_ms:.2f}",
        **answer.headers,
    }
    await _send(send, 200, _JSON, answer.body, headers)


async def _send_json(send: Send, status: int, value: object) -> None:
    await _send(send, status, _JSON, orjson.dumps(value))


async def _send(
    send: Send, status: int, content_type: str, body: bytes, headers: dict[str, str] | None = None
) -> None:
    all_headers = {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in all_headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
