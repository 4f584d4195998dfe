"""The runtime's HTTP: a plain ASGI app, since every prediction pays for what stands before the model."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from modelport_runtime import logs, metrics
from modelport_runtime.core.answers import encode
from modelport_runtime.core.types import Answer
from modelport_runtime.core.v2.protocol import config_of
from modelport_runtime.server.batching import Batcher
from modelport_runtime.server.predictions import (
    JSON,
    OCTETS,
    PROTOCOLS,
    Predictor,
    Protocol,
    answer_of,
    call_of,
    counter,
    protocol_of,
    request_id,
)
from modelport_runtime.server.problem import Problem, content_type_of, internal_error
from modelport_runtime.server.status import State
from modelport_runtime.wire import Outcome

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Result = tuple[Outcome, float]


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True)
class Reply:
    body: bytes
    status: int = 200
    content_type: bytes = JSON
    headers: dict[bytes, bytes] = field(default_factory=dict)


class App:
    """`state` and `status` are asked at every request: the load goes on meanwhile."""

    def __init__(
        self,
        batcher: Batcher,
        predictor: Predictor,
        state: Callable[[], State],
        status: Callable[[], dict[str, Any]],
    ) -> None:
        self._batcher = batcher
        self._predictor = predictor
        self._state = state
        self._status = status
        self._reads: dict[str, Callable[[], Reply]] = {
            "/healthz": self._healthz,
            "/startupz": self._startupz,
            "/readyz": self._readyz,
            "/status": lambda: Reply(encode(self._status())),
            "/v2": self._v2_metadata,
            "/v2/config": self._v2_config,
            "/metrics": lambda: Reply(
                generate_latest(metrics.REGISTRY), content_type=CONTENT_TYPE_LATEST.encode()
            ),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        identifier = request_id(headers.get(b"x-request-id", b"")).decode()
        logs.request_id.set(identifier)
        try:
            reply = await self._answer(scope, headers, receive)
        except ClientGone:
            log.info("client_gone", extra={"path": scope["path"]})
            return
        except Problem as problem:
            reply = _refusal(problem, identifier, scope["path"])
        except Exception:
            log.exception("unhandled", extra={"path": scope["path"]})
            reply = _refusal(internal_error(), identifier, scope["path"])
        await _send(send, reply, identifier)

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Reply:
        path, method = scope["path"], scope["method"]
        if path in self._reads:
            _require_method(method, "GET")
            return self._reads[path]()
        if path in PROTOCOLS:
            _require_method(method, "POST")
            return await self._counted(PROTOCOLS[path], headers, receive)
        raise Problem(
            404, "Not Found", f"There is no {path} here; docs/contracts.md lists what a runtime answers."
        )

    async def _counted(self, protocol: Protocol, headers: dict[bytes, bytes], receive: Receive) -> Reply:
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
            counter(protocol, status).inc()
        return reply

    async def _predict(self, protocol: Protocol, headers: dict[bytes, bytes], receive: Receive) -> Reply:
        self._predictor.require_ready()
        protocol = protocol_of(protocol, headers.get(b"content-type", b""))
        body = await self._read_body(headers, receive)
        if encoding := headers.get(b"content-encoding"):
            body = self._predictor.inflated(body, encoding)
        call = call_of(protocol, body, headers.get(b"inference-header-content-length", b""))
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        waiting = self._predictor.submit(call, partial(_set, future))
        try:
            outcome, seconds = await _result(future, receive)
        except ClientGone:
            waiting.gone = True
            raise
        timing = f"model;dur={seconds * 1000:.3f}".encode()
        return _reply_of(answer_of(outcome), {b"server-timing": timing})

    async def _read_body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit():
            self._predictor.require_size(int(declared))
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            body += message.get("body", b"")
            self._predictor.require_size(len(body))
            if not message.get("more_body"):
                return bytes(body)

    def _healthz(self) -> Reply:
        if self._batcher.is_stuck():
            return Reply(b'{"status":"stuck"}', 503)
        return Reply(b'{"status":"ok"}')

    def _startupz(self) -> Reply:
        phase = self._state().phase
        return Reply(orjson.dumps({"state": phase}), 503 if phase == "loading" else 200)

    def _readyz(self) -> Reply:
        phase = self._state().phase
        return Reply(orjson.dumps({"state": phase}), 200 if phase == "ready" else 503)

    def _v2_metadata(self) -> Reply:
        return Reply(encode(self._predictor.require_ready().v2))

    def _v2_config(self) -> Reply:
        return Reply(encode(config_of(self._predictor.require_ready().v2 or {})))


def _refusal(problem: Problem, identifier: str, path: str) -> Reply:
    return Reply(problem.body(identifier, path), problem.status, content_type_of(path), problem.headers)


def _reply_of(answer: Answer, headers: dict[bytes, bytes]) -> Reply:
    if answer.json_bytes is None:
        return Reply(answer.body, headers=headers)
    headers[b"inference-header-content-length"] = str(answer.json_bytes).encode()
    return Reply(answer.body, content_type=OCTETS, headers=headers)


def _require_method(method: str, allowed: str) -> None:
    if method != allowed:
        raise Problem(
            405,
            "Method Not Allowed",
            f"Use {allowed} here, not {method}.",
            headers={b"allow": allowed.encode()},
        )


def _set(future: asyncio.Future[Result], outcome: Outcome, seconds: float) -> None:
    if not future.done():
        future.set_result((outcome, seconds))


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
