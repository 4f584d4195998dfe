"""The runtime's HTTP: a plain ASGI app, since every prediction pays for what stands before the model."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from modelport_runtime import logs, metrics
from modelport_runtime.core.responses import encode
from modelport_runtime.core.v2.protocol import config_of
from modelport_runtime.server.batching import Batcher
from modelport_runtime.server.handler import PredictionHandler, Served, Submission, note_gone
from modelport_runtime.server.predictions import JSON, OCTETS, PROTOCOLS, RequestHead, head_of
from modelport_runtime.server.problem import Problem, content_type_of, internal_error
from modelport_runtime.server.status import State

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class ClientGone(Exception):
    """Nobody waits for the response any more."""


@dataclass(frozen=True)
class Reply:
    body: bytes
    status: int = 200
    content_type: bytes = JSON
    headers: dict[bytes, bytes] = field(default_factory=dict)


class App:
    """`state` and `status` are read at every request: the load goes on meanwhile."""

    def __init__(
        self,
        batcher: Batcher,
        predictions: PredictionHandler,
        state: Callable[[], State],
        status: Callable[[], dict[str, Any]],
    ) -> None:
        self._batcher = batcher
        self._predictions = predictions
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
        head = head_of(scope["path"], scope["headers"])
        logs.request_id.set(head.request_id.decode())
        try:
            reply = await self._respond(scope, head, receive)
        except ClientGone:
            return
        except Problem as problem:
            reply = _refusal(problem, head)
        except Exception:
            log.exception("unhandled", extra={"path": head.path})
            reply = _refusal(internal_error(), head)
        await _send(send, reply, head.request_id)

    async def _respond(self, scope: Scope, head: RequestHead, receive: Receive) -> Reply:
        path, method = head.path, scope["method"]
        if path in self._reads:
            _require_method(method, "GET")
            return self._reads[path]()
        if path in PROTOCOLS:
            _require_method(method, "POST")
            return await self._predict(head, _declared_bytes(scope), receive)
        raise Problem(
            404, "Not Found", f"There is no {path} here; docs/contracts.md lists what a runtime answers."
        )

    async def _predict(self, head: RequestHead, declared_bytes: int, receive: Receive) -> Reply:
        predictions = self._predictions
        protocol = predictions.accept(head, declared_bytes)
        body = await _read_body(receive, predictions.max_body_bytes)
        if body is None:
            note_gone(head, protocol)
            raise ClientGone
        ended: asyncio.Future[Served | Problem] = asyncio.get_running_loop().create_future()
        submission = predictions.submit(head, protocol, body, ended.set_result)
        outcome = await _unless_gone(ended, submission, receive)
        if type(outcome) is Problem:
            raise outcome
        return _reply_of(outcome)

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
        return Reply(encode(self._predictions.require_ready().v2))

    def _v2_config(self) -> Reply:
        return Reply(encode(config_of(self._predictions.require_ready().v2 or {})))


def _refusal(problem: Problem, head: RequestHead) -> Reply:
    body = problem.body(head.request_id.decode(), head.path)
    return Reply(body, problem.status, content_type_of(head.path), problem.headers)


def _reply_of(served: Served) -> Reply:
    prediction, headers = served.prediction, {b"server-timing": b"model;dur=%.3f" % (served.seconds * 1000)}
    if prediction.json_bytes is None:
        return Reply(prediction.body, headers=headers)
    headers[b"inference-header-content-length"] = str(prediction.json_bytes).encode()
    return Reply(prediction.body, content_type=OCTETS, headers=headers)


def _require_method(method: str, allowed: str) -> None:
    if method != allowed:
        raise Problem(
            405,
            "Method Not Allowed",
            f"Use {allowed} here, not {method}.",
            headers={b"allow": allowed.encode()},
        )


def _declared_bytes(scope: Scope) -> int:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    return int(declared) if declared.isdigit() else 0


async def _read_body(receive: Receive, max_bytes: int) -> bytes | None:
    """Return the body, cut somewhere beyond `max_bytes`. None: the caller has gone."""
    body = bytearray()
    while len(body) <= max_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return bytes(body)


async def _unless_gone(
    ended: "asyncio.Future[Served | Problem]", submission: Submission, receive: Receive
) -> Served | Problem:
    """Wait for the model, but not for a caller that has gone: its call is dropped from the queue."""

    def stop(watcher: "asyncio.Future[dict[str, Any]]") -> None:
        if not ended.done():
            # At once, or a response that comes before the task goes on would be counted too.
            submission.leave()
            ended.cancel()

    watcher = asyncio.ensure_future(receive())
    watcher.add_done_callback(stop)
    try:
        return await ended
    except asyncio.CancelledError:
        submission.leave()
        if watcher.done():
            raise ClientGone from None
        raise
    finally:
        watcher.cancel()


async def _send(send: Send, reply: Reply, request_id: bytes) -> None:
    headers = {
        b"content-type": reply.content_type,
        b"content-length": str(len(reply.body)).encode(),
        b"x-request-id": request_id,
        **reply.headers,
    }
    await send({"type": "http.response.start", "status": reply.status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": reply.body})
