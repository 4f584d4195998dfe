"""The gateway's HTTP: plain ASGI, since a framework's routing costs more than a cached answer."""

import asyncio
import time
from collections.abc import Callable
from importlib.metadata import version as distribution_version

import orjson
from modelport_http.middleware import body_too_large, declared_length
from modelport_http.problem import Problem, send_problem
from modelport_process.request_context import request_id_of
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from modelport_gateway.concurrency.in_flight import InFlight
from modelport_gateway.http.batch_uploads import BatchJobs, is_batch_path
from modelport_gateway.http.client_addresses import ClientAddresses
from modelport_gateway.http.response_encoding import encoded, wanted_encoding
from modelport_gateway.metrics import count_prediction
from modelport_gateway.prediction import Answer, Prediction, PredictionContext
from modelport_gateway.request.body import decoded, json_bytes_of, read_whole, require_type
from modelport_gateway.request.headers import RequestHeaders
from modelport_gateway.request.paths import Call, Target, parse_target
from modelport_gateway.sampling.tap import Taps
from modelport_gateway.usage.counter import UsageCounter

_JSON = "application/json"
_EXTENSIONS = ["binary_tensor_data"]
"""Of the Open Inference Protocol."""


class Server:
    """One ASGI app. `is_ready` says whether the gateway can serve."""

    def __init__(
        self,
        prediction: Prediction,
        *,
        is_ready: Callable[[], bool],
        max_body_bytes: int,
        addresses: ClientAddresses,
        under_way: InFlight,
        usage: UsageCounter,
        taps: Taps,
        batch_jobs: BatchJobs,
    ) -> None:
        self._batch_jobs = batch_jobs
        self._usage = usage
        self._taps = taps
        self._under_way = under_way
        self._prediction = prediction
        self._is_ready = is_ready
        self._max_body_bytes = max_body_bytes
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        target = parse_target(scope["path"])
        if target is None and is_batch_path(scope["path"]):
            with self._under_way.one():
                await self._batch_jobs(scope, receive, send)
            return
        if target is None:
            await self._fixed(scope, send)
            return
        with self._under_way.one():
            await self._model(target, scope, receive, send)

    async def _model(self, target: Target, scope: Scope, receive: Receive, send: Send) -> None:
        started, status, reason, cache = time.perf_counter(), 500, "", "none"
        asked = self._asked(target, scope)
        said: bytes | Problem | None = None
        try:
            _require_method(scope, target.call.method)
            answer = await self._answer(asked, scope, receive)
            status, cache = 200, answer.cache
            encoding = wanted_encoding(asked.headers, answer)
            sent = answer if encoding is None else await encoded(answer, encoding)
            await _send_answer(send, sent, time.perf_counter() - started)
            said = answer.body
        except Problem as problem:
            status, reason = problem.status, problem.reason or ""
            await send_problem(scope, send, problem)
            said = problem
        except ClientDisconnect:
            status = 499
            raise
        except asyncio.CancelledError:
            # Only the end of the graceful stop does that: it answers so.
            status = 503
            raise
        finally:
            ended = time.perf_counter()
            seconds = ended - started
            count_prediction(status, cache, seconds)
            self._usage.count(asked, status, reason, cache, seconds, ended=ended)
            if target.call.method == "POST":
                self._taps.offer(asked, said, cache, seconds)

    def _asked(self, target: Target, scope: Scope) -> PredictionContext:
        headers = RequestHeaders(scope["headers"])
        _, address = self._addresses.find(scope["client"][0] if scope.get("client") else "", headers)
        return PredictionContext(target, headers, address, request_id_of(scope))

    async def _answer(self, asked: PredictionContext, scope: Scope, receive: Receive) -> Answer:
        target = asked.target
        granted = await self._prediction.grant(asked)
        if target.call is Call.READY:
            version = self._prediction.check_ready(asked, granted)
            return Answer(orjson.dumps({"name": target.model, "ready": True}), version.name)
        body = await self._body(asked, scope, receive) if target.call.method == "POST" else None
        return await self._prediction.answer(asked, granted, body)

    async def _body(self, asked: PredictionContext, scope: Scope, receive: Receive) -> bytes:
        call, headers, most = asked.target.call, asked.headers, self._max_body_bytes
        require_type(call, headers)
        if declared_length(scope) > most:
            raise body_too_large(most)
        body = await decoded(headers, await read_whole(receive, most), max_bytes=most)
        asked.json_bytes = json_bytes_of(call, headers, len(body))
        return body

    async def _fixed(self, scope: Scope, send: Send) -> None:
        answer = _FIXED.get(scope["path"])
        if answer is None:
            raise _nothing_at(scope["path"])
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
        server = {
            "name": "modelport",
            "version": distribution_version("modelport"),
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


def _require_method(scope: Scope, method: str) -> None:
    if scope["method"] != method:
        raise Problem(status=405, detail=f"Use {method} here.", headers={"Allow": method})


async def _send_answer(send: Send, answer: Answer, seconds: float) -> None:
    content_type, of_content = content_headers(answer)
    headers = {
        **of_content,
        "X-Modelport-Version": answer.version,
        "X-Cache": answer.cache,
        "Server-Timing": server_timing(answer, seconds),
        **answer.headers,
    }
    await _send(send, 200, content_type, answer.body, headers)


def content_headers(answer: Answer) -> tuple[str, dict[str, str]]:
    """Give the content type, and what else says how to read the body."""
    if answer.json_bytes is None:
        return _JSON, {}
    return "application/octet-stream", {"Inference-Header-Content-Length": str(answer.json_bytes)}


def server_timing(answer: Answer, seconds: float) -> str:
    model_ms = answer.model_seconds * 1000
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
