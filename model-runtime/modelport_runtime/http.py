"""The runtime's HTTP: a plain ASGI app, since every prediction pays for what stands before the model."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from modelport_runtime import logs, metrics
from modelport_runtime.batching import QueueFull, Result, Worker
from modelport_runtime.core.answers import encode
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Failure
from modelport_runtime.problem import CONTENT_TYPE, Problem, internal_error, of_failure
from modelport_runtime.state import State

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_JSON = b"application/json"
_MAX_REQUEST_ID = 128


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True)
class Reply:
    body: bytes
    status: int = 200
    content_type: bytes = _JSON
    headers: dict[bytes, bytes] = field(default_factory=dict)


class App:
    """`state` and `status` are asked at every request: the load goes on meanwhile, in another thread."""

    def __init__(
        self,
        worker: Worker,
        state: Callable[[], State],
        status: Callable[[], dict[str, Any]],
        *,
        max_body_bytes: int,
    ) -> None:
        self._worker = worker
        self._state = state
        self._status = status
        self._max_body = max_body_bytes
        self._reads: dict[str, Callable[[], Reply]] = {
            "/healthz": self._healthz,
            "/startupz": self._startupz,
            "/readyz": self._readyz,
            "/status": lambda: Reply(encode(self._status())),
            "/v2": self._v2_metadata,
            "/metrics": lambda: Reply(
                generate_latest(metrics.REGISTRY), content_type=CONTENT_TYPE_LATEST.encode()
            ),
        }
        self._calls: dict[str, Literal["native", "v2"]] = {"/predict": "native", "/v2/infer": "v2"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        request_id = _request_id(headers)
        logs.request_id.set(request_id)
        try:
            reply = await self._answer(scope, headers, receive)
        except ClientGone:
            log.info("client_gone", extra={"path": scope["path"]})
            return
        except Problem as problem:
            reply = Reply(problem.body(request_id), problem.status, CONTENT_TYPE, problem.headers)
        except Exception:
            log.exception("unhandled", extra={"path": scope["path"]})
            reply = Reply(internal_error().body(request_id), 500, CONTENT_TYPE)
        await _send(send, reply, request_id)

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Reply:
        path, method = scope["path"], scope["method"]
        if path in self._reads:
            _require_method(method, "GET")
            return self._reads[path]()
        if path in self._calls:
            _require_method(method, "POST")
            return await self._counted(self._calls[path], headers, receive)
        raise Problem(
            404, "Not Found", f"There is no {path} here; docs/contracts.md lists what a runtime answers."
        )

    async def _counted(
        self, protocol: Literal["native", "v2"], headers: dict[bytes, bytes], receive: Receive
    ) -> Reply:
        status = 500
        try:
            reply = await self._predict(protocol, headers, receive)
            status = reply.status
        except Problem as problem:
            status = problem.status
            raise
        except ClientGone:
            status = 499
            raise
        finally:
            metrics.REQUESTS.labels(protocol, str(status)).inc()
        return reply

    async def _predict(
        self, protocol: Literal["native", "v2"], headers: dict[bytes, bytes], receive: Receive
    ) -> Reply:
        self._ready_engine()
        _require_json(headers)
        body = await _read_body(headers, receive, self._max_body)
        try:
            future = self._worker.submit(Call(protocol, body))
        except QueueFull:
            raise Problem(
                503,
                "Too many requests wait",
                "More requests wait for the model than its queue holds. Try again after Retry-After seconds.",
                "QueueFull",
                headers={b"retry-after": b"1"},
            ) from None
        result = await _result(future, receive)
        if isinstance(result.outcome, Failure):
            if result.outcome.trace:
                log.error("model_raised", extra={"trace": result.outcome.trace})
            raise of_failure(result.outcome)
        timing = f"model;dur={result.seconds * 1000:.3f}".encode()
        return Reply(result.outcome.body, headers={b"server-timing": timing})

    def _ready_engine(self) -> Engine:
        state = self._state()
        if state.phase == "loading":
            raise Problem(
                503,
                "Model not ready",
                "The model is being loaded. Try again after Retry-After seconds.",
                "Progressing",
                headers={b"retry-after": b"1"},
            )
        if state.engine is None:
            raise Problem(503, "Model not ready", state.message or "The model was not loaded.", state.reason)
        return state.engine

    def _healthz(self) -> Reply:
        if self._worker.is_stuck():
            return Reply(b'{"status":"stuck"}', 503)
        return Reply(b'{"status":"ok"}')

    def _startupz(self) -> Reply:
        phase = self._state().phase
        return Reply(orjson.dumps({"state": phase}), 503 if phase == "loading" else 200)

    def _readyz(self) -> Reply:
        phase = self._state().phase
        return Reply(orjson.dumps({"state": phase}), 200 if phase == "ready" else 503)

    def _v2_metadata(self) -> Reply:
        return Reply(encode(self._ready_engine().v2_metadata()))


def _request_id(headers: dict[bytes, bytes]) -> str:
    """The caller's, if it is harmless in a header and in a log, else a new one."""
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    if given and len(given) <= _MAX_REQUEST_ID and given.isascii() and given.isprintable():
        return given
    return uuid.uuid4().hex


def _require_method(method: str, allowed: str) -> None:
    if method != allowed:
        raise Problem(
            405,
            "Method Not Allowed",
            f"Use {allowed} here, not {method}.",
            headers={b"allow": allowed.encode()},
        )


def _require_json(headers: dict[bytes, bytes]) -> None:
    given = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if given != _JSON and not (given.startswith(b"application/") and given.endswith(b"+json")):
        shown = given.decode("latin-1") or "none"
        raise Problem(
            415, "Unsupported Media Type", f"The body must be application/json; its type is {shown}."
        )


async def _read_body(headers: dict[bytes, bytes], receive: Receive, limit: int) -> bytes:
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return bytes(body)


def _too_large(limit: int) -> Problem:
    return Problem(
        413, "Content Too Large", f"The body has more than {limit} bytes. Send fewer rows in one request."
    )


async def _result(future: asyncio.Future[Result], receive: Receive) -> Result:
    """Wait for the model, but not for a caller that has gone: its call is dropped from the queue."""
    watcher = asyncio.ensure_future(receive())
    watcher.add_done_callback(lambda _: future.cancel())
    try:
        return await future
    except asyncio.CancelledError:
        if watcher.done() and not watcher.cancelled():
            raise ClientGone from None
        raise
    finally:
        watcher.cancel()


async def _send(send: Send, reply: Reply, request_id: str) -> None:
    headers = {
        b"content-type": reply.content_type,
        b"content-length": str(len(reply.body)).encode(),
        b"x-request-id": request_id.encode(),
        **reply.headers,
    }
    await send({"type": "http.response.start", "status": reply.status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": reply.body})
