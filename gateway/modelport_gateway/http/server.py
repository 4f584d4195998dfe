"""The gateway's HTTP: plain ASGI, since a framework's routing costs more than a cached response."""

import time
from collections.abc import Callable
from functools import partial

import orjson
from modelport_http.middleware import body_too_large, declared_length
from modelport_http.problem import Problem, send_problem
from modelport_process import VERSION
from modelport_process.logging import request_id_of
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import Receive, Scope, Send

from modelport_gateway.http.batch_uploads import BatchJobs, is_batch_path
from modelport_gateway.http.client_addresses import ClientAddresses
from modelport_gateway.http.handler import PredictionHandler
from modelport_gateway.outcome import Outcome, PredictionRequest, PredictionResponse, Response
from modelport_gateway.request.body import read_whole
from modelport_gateway.request.paths import RequestHeaders, Target, parse_target

_JSON = "application/json"
_EXTENSIONS = ["binary_tensor_data"]
"""Of the Open Inference Protocol."""


class Server:
    """One ASGI app. `is_ready` says whether the gateway can serve."""

    def __init__(
        self,
        handler: PredictionHandler,
        *,
        is_ready: Callable[[], bool],
        addresses: ClientAddresses,
        batch_jobs: BatchJobs,
    ) -> None:
        self._handler = handler
        self._is_ready = is_ready
        self._addresses = addresses
        self._batch_jobs = batch_jobs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        target = parse_target(scope["path"])
        if target is not None:
            await self._model(target, scope, receive, send)
        elif is_batch_path(scope["path"]):
            with self._handler.in_flight:
                await self._batch_jobs(scope, receive, send)
        else:
            await self._fixed(scope, send)

    async def _model(self, target: Target, scope: Scope, receive: Receive, send: Send) -> None:
        request = self._request(target, scope)
        with self._handler.in_flight:
            if scope["method"] == target.call.method:
                outcome = await self._handler.handle(request, read=partial(_read, scope, receive))
            else:
                outcome = Outcome(_use(target.call.method), 405)
            try:
                await _write(scope, send, request, outcome.response)
            finally:
                self._handler.record(request, outcome)

    def _request(self, target: Target, scope: Scope) -> PredictionRequest:
        started, headers = time.perf_counter(), RequestHeaders(scope["headers"])
        _, address = self._addresses.find(scope["client"][0] if scope.get("client") else "", headers)
        return PredictionRequest(target, scope["path"], headers, address, request_id_of(scope), started)

    async def _fixed(self, scope: Scope, send: Send) -> None:
        response = _FIXED.get(scope["path"])
        if response is None:
            raise _nothing_at(scope["path"])
        if scope["method"] != "GET":
            raise _use("GET")
        await response(self, send)

    async def live(self, send: Send) -> None:
        await _send_json(send, 200, {"status": "ok"})

    async def ready(self, send: Send) -> None:
        self._require_ready()
        await _send_json(send, 200, {"status": "ok"})

    async def metrics(self, send: Send) -> None:
        await _send(send, 200, CONTENT_TYPE_LATEST, generate_latest())

    async def v2(self, send: Send) -> None:
        """Send the server metadata of the Open Inference Protocol; like `live`, whether ready or not."""
        server = {
            "name": "modelport",
            "version": VERSION,
            "extensions": _EXTENSIONS,
        }
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


def _nothing_at(path: str) -> Problem:
    detail = "There is nothing here. Predictions are at POST /predict/<model id>."
    if path.startswith("/v2/"):
        detail = (
            "This call of the Open Inference Protocol, or extension of it, is not here. A model's are infer, "
            "ready, config and its metadata; GET /api/v1/models lists models, and "
            "GET /api/v1/analytics/models/<id> has statistics."
        )
    return Problem(status=404, detail=detail)


def _use(method: str) -> Problem:
    return Problem(status=405, detail=f"Use {method} here.", headers={"Allow": method})


async def _read(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    if declared_length(scope) > max_bytes:
        raise body_too_large(max_bytes)
    return await read_whole(receive, max_bytes)


async def _write(scope: Scope, send: Send, request: PredictionRequest, response: Response) -> None:
    """Raises what has no response: ClientDisconnect, CancelledError."""
    if type(response) is PredictionResponse:
        await _send_response(send, response, time.perf_counter() - request.started)
    elif isinstance(response, Problem):
        await send_problem(scope, send, response)
    else:
        raise response


async def _send_response(send: Send, response: PredictionResponse, seconds: float) -> None:
    content_type, of_content = content_headers(response)
    headers = {
        **of_content,
        "X-Modelport-Version": response.version,
        "X-Cache": response.cache,
        "Server-Timing": server_timing(response, seconds),
        **response.headers,
    }
    await _send(send, 200, content_type, response.body, headers)


def content_headers(response: PredictionResponse) -> tuple[str, dict[str, str]]:
    """Return the content type, and what else says how to read the body."""
    if response.json_bytes is None:
        return _JSON, {}
    return "application/octet-stream", {"Inference-Header-Content-Length": str(response.json_bytes)}


def server_timing(response: PredictionResponse, seconds: float) -> str:
    """Return the value of `Server-Timing`, in milliseconds: the gateway's own time and the model's."""
    model_ms = response.model_seconds * 1000
    return f"gateway;dur={seconds * 1000 - model_ms:.2f}, model;dur={model_ms:.2f}"


async def _send_json(send: Send, status: int, value: object) -> None:
    await _send(send, status, _JSON, orjson.dumps(value))


async def _send(
    send: Send, status: int, content_type: str, body: bytes, headers: dict[str, str] | None = None
) -> None:
    all_headers = {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in all_headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
