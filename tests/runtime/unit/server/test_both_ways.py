"""The fast path and the ASGI app of a runtime: nobody can tell them apart, by response, log or metrics."""

import asyncio
import gzip
import io
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
from modelport_http.fast_path.exchange import Exchange, Headers
from modelport_runtime import metrics
from modelport_runtime.core.types import Call, Failure, Prediction
from modelport_runtime.logs import JsonFormatter
from modelport_runtime.server.batching import Batcher, Done
from modelport_runtime.server.fast_path import FastPath
from modelport_runtime.server.handler import PredictionHandler
from modelport_runtime.server.http import App
from modelport_runtime.server.model_supervisor import ModelSupervisor
from modelport_runtime.server.process import Parts, build_server
from modelport_runtime.server.status import State
from modelport_runtime.wire import LoadReport, Outcome

from tests.runtime.unit.server.test_fast_path import READY
from tests.support.waiting import until

JSON, ID = {"content-type": "application/json"}, {"x-request-id": "my own id"}
GZIP, TENSORS = {"content-encoding": "gzip"}, {"content-type": "application/octet-stream"}
FAILED = replace(
    READY, phase="failed", reported=LoadReport(state="failed", reason="NotAModel", message="It is a list.")
)
MAX_BODY_BYTES = 200


class Model:
    """Answers by what the body says; `wait` it holds."""

    max_batch_bytes = 1000
    ahead_bytes = None

    def __init__(self) -> None:
        self.held: list[Done] = []

    def predict(self, calls: list[Call], done: Done) -> None:
        if any(call.body == b"wait" for call in calls):
            self.held.append(done)
        else:
            done([_outcome(call) for call in calls], 0.5)


def _outcome(call: Call) -> Outcome:
    match call.body:
        case b"not json":
            return Failure(400, "Bad Request", "It is no JSON.", errors=[{"field": "input", "message": "m"}])
        case b"raise":
            return Failure(
                500, "The model raised", "ValueError", "ModelError", trace="Traceback of the model"
            )
        case b"tensors":
            return Prediction(b"{}\0\0", 2)
        case body:
            return Prediction(call.protocol.encode() + body)


class CountingFastPath(FastPath):
    """Notes what it is given; `is_open` False: it takes nothing."""

    def __init__(self, handler: PredictionHandler, *, is_open: bool) -> None:
        super().__init__(handler)
        self._is_open = is_open
        self.taken = 0

    def takes(self, target: bytes, headers: Headers) -> bool:
        return self._is_open and super().takes(target, headers)

    def begin(self, exchange: Exchange) -> None:
        self.taken += 1
        super().begin(exchange)


class Runtime:
    def __init__(self, *, fast: bool) -> None:
        self.state: State | None = READY
        self.model = Model()
        self._batcher = Batcher(max_queue=1, max_batch=1, stuck_after=60)
        self._batcher.use(self.model)
        handler = PredictionHandler(self._batcher, self._state, max_body_bytes=MAX_BODY_BYTES)
        self.app = App(self._batcher, handler, self._state, dict)
        self.fast_path = CountingFastPath(handler, is_open=fast)
        self.port = 0

    def _state(self) -> State:
        if self.state is None:
            raise RuntimeError("a bug")
        return self.state

    @property
    def in_queue(self) -> int:
        return self._batcher.waiting()


@asynccontextmanager
async def running(*, fast: bool) -> AsyncIterator[Runtime]:
    runtime = Runtime(fast=fast)
    server = build_server(Parts(cast(ModelSupervisor, None), runtime.app, runtime.fast_path))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        runtime.port = listener.getsockname()[1]
        serving = asyncio.create_task(server.serve([listener]))
        async with asyncio.timeout(60):
            yield runtime
        server.should_exit = True
        await serving


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("modelport_runtime")
    before, logger.level = logger.level, logging.INFO
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(before)


def lines_of(log: io.StringIO) -> list[tuple[Any, ...]]:
    """All that was logged, in the order of its members, but for times, random ids and our own frames."""
    found = []
    for line in log.getvalue().splitlines():
        entry = json.loads(line)
        assert entry.pop("time")
        entry["request_id"] = entry["request_id"] if entry["request_id"] == ID["x-request-id"] else "random"
        entry["trace"] = entry.get("trace", "").splitlines()[-1:]
        found.append(tuple(entry.items()))
    return found


def counts() -> dict[tuple[str, str], float]:
    samples = [sample for metric in metrics.REQUESTS.collect() for sample in metric.samples]
    return {
        (sample.labels["protocol"], sample.labels["status"]): sample.value
        for sample in samples
        if sample.name.endswith("_total")
    }


def counted_since(before: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {key: value - before.get(key, 0) for key, value in counts().items() if value != before.get(key, 0)}


def seen_of(response: httpx.Response) -> tuple[Any, ...]:
    headers = dict(response.headers)
    assert headers.pop("date")
    own = headers.pop("x-request-id")
    body = response.content.replace(own.encode(), b"<id>")
    return response.status_code, headers, own if own == ID["x-request-id"] else len(own), body


REQUESTS: dict[str, tuple[str, str, dict[str, str], bytes]] = {
    "good": ("POST", "/predict", JSON, b"{}"),
    "good, with an id": ("POST", "/predict", JSON | ID, b"{}"),
    "an id that could do harm": ("POST", "/predict", JSON | {"x-request-id": "a\tb"}, b"{}"),
    "no type": ("POST", "/predict", {}, b"{}"),
    "another JSON": ("POST", "/predict", {"content-type": "application/cloudevents+json"}, b"{}"),
    "matrix": ("POST", "/predict", {"content-type": "application/vnd.modelport.matrix"}, b"{}"),
    "v2": ("POST", "/v2/infer", JSON, b"{}"),
    "tensors": ("POST", "/v2/infer", TENSORS | {"inference-header-content-length": "2"}, b"tensors"),
    "tensors that are not there": ("POST", "/v2/infer", {"inference-header-content-length": "9"}, b"{}"),
    "gzip": ("POST", "/predict", JSON | GZIP, gzip.compress(b"{}", mtime=0)),
    "gzip of too much": ("POST", "/predict", JSON | GZIP, gzip.compress(bytes(2000), mtime=0)),
    "no gzip": ("POST", "/predict", JSON | GZIP, b"{}"),
    "an encoding of others": ("POST", "/predict", JSON | {"content-encoding": "br"}, b"{}"),
    "bad JSON": ("POST", "/predict", JSON, b"not json"),
    "bad JSON to v2": ("POST", "/v2/infer", JSON | ID, b"not json"),
    "a model that raises": ("POST", "/predict", JSON | ID, b"raise"),
    "a type of others": ("POST", "/predict", {"content-type": "text/csv"}, b"{}"),
    "too large": ("POST", "/predict", JSON, b" " * 201),
    "wrong method": ("GET", "/predict", {}, b""),
    "nothing there": ("POST", "/nothing", JSON, b"{}"),
}
STATES: dict[str, State | None] = {
    "ready": READY,
    "loading": State(READY.sandbox),
    "failed": FAILED,
    "ours": None,
}
CASES = [
    *[(name, "ready") for name in REQUESTS],
    *[(name, state) for state in ("loading", "failed", "ours") for name in ("good, with an id", "v2")],
    ("too large", "loading"),
]


@pytest.mark.parametrize(("name", "state"), CASES)
async def test_both_ways_respond_log_and_count_the_same(name: str, state: str, log: io.StringIO) -> None:
    method, path, headers, body = REQUESTS[name]
    found = []
    for fast in (False, True):
        log.truncate(log.seek(0))
        async with running(fast=fast) as runtime, httpx.AsyncClient(timeout=60) as client:
            runtime.state, before = STATES[state], counts()
            url = f"http://127.0.0.1:{runtime.port}{path}"
            response = await client.request(method, url, headers=headers, content=body)
            found.append((seen_of(response), lines_of(log), counted_since(before)))
            assert runtime.fast_path.taken == (fast and method == "POST" and path != "/nothing")
    by_asgi, by_the_fast_path = found
    assert by_the_fast_path == by_asgi
    (status, *_), lines, counted = by_asgi
    assert list(counted.values()) == ([] if status in (404, 405) else [1]), (
        "each request on a model's path once"
    )
    assert all(key[1] == str(status) for key in counted)
    assert bool(lines) == (status == 500), "what the caller is not shown is in the log"


@pytest.mark.parametrize("fast", [True, False])
async def test_a_full_queue_refuses_and_is_counted(fast: bool) -> None:
    async with running(fast=fast) as runtime, httpx.AsyncClient(timeout=60) as client:
        before, url = counts(), f"http://127.0.0.1:{runtime.port}/predict"
        held = asyncio.create_task(client.post(url, content=b"wait"))
        await until(lambda: bool(runtime.model.held))
        queued = asyncio.create_task(client.post(url, content=b"{}"))
        await until(lambda: runtime.in_queue == 1)
        refused = await client.post(url, content=b"{}")
        runtime.model.held.pop()([Prediction(b"{}")], 0.1)
        answers = await asyncio.gather(held, queued)
    assert (refused.status_code, refused.json()["reason"]) == (503, "QueueFull")
    assert [answer.status_code for answer in answers] == [200, 200]
    assert counted_since(before) == {("native", "200"): 2, ("native", "503"): 1}


@pytest.mark.parametrize("fast", [True, False])
async def test_a_caller_that_leaves_is_counted_once_and_logged(fast: bool, log: io.StringIO) -> None:
    async with running(fast=fast) as runtime:
        before = counts()
        _, writer = await asyncio.open_connection("127.0.0.1", runtime.port)
        writer.write(
            b"POST /predict HTTP/1.1\r\nhost: x\r\nx-request-id: my own id\r\ncontent-length: 4\r\n\r\nwait"
        )
        await until(lambda: bool(runtime.model.held))
        writer.close()
        await until(lambda: counts() != before)
        runtime.model.held.pop()([Prediction(b"{}")], 0.1)
    assert counted_since(before) == {("native", "499"): 1}
    [line] = lines_of(log)
    assert dict(line) == {
        "level": "info", "event": "client_gone", "request_id": "my own id", "path": "/predict", "trace": [],
    }  # fmt: skip


async def test_a_request_that_a_stop_cuts_off_is_counted_once(log: io.StringIO) -> None:
    body = iter([{"type": "http.request", "body": b"wait"}])
    runtime, before = Runtime(fast=False), counts()

    async def receive() -> dict[str, Any]:
        for message in body:
            return message
        return await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError(message)

    scope = {"path": "/predict", "method": "POST", "headers": [(b"x-request-id", b"my own id")]}
    task = asyncio.create_task(runtime.app(scope, receive, send))
    await until(lambda: bool(runtime.model.held))
    task.cancel()
    await asyncio.wait([task])
    runtime.model.held.pop()([Prediction(b"{}")], 0.1)
    assert task.cancelled()
    assert counted_since(before) == {("native", "499"): 1}
    assert [dict(line)["event"] for line in lines_of(log)] == ["client_gone"]
