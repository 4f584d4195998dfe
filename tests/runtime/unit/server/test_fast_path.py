"""The fast path: an exchange in, one response out, with what the ASGI way says too."""

import asyncio
import gc
import json
import weakref
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, cast

import pytest
from modelport_http.fast_path.exchange import Exchange
from modelport_http.problem import type_of
from modelport_runtime.core.types import Call, Failure, Prediction
from modelport_runtime.sandbox.enter import SandboxReport
from modelport_runtime.server.batching import Batcher, Done
from modelport_runtime.server.fast_path import FastPath
from modelport_runtime.server.handler import PredictionHandler
from modelport_runtime.server.status import State
from modelport_runtime.wire import LoadReport

REPORTED = LoadReport(
    state="ready", reason=None, message=None, signature=None, sample=None, sample_source=None,
    found={}, here={}, differences=[], v2={},
)  # fmt: skip
READY = State(SandboxReport(2, "both"), phase="ready", reported=REPORTED)
MAX_BODY_BYTES = 100


class Given:
    """An exchange without a connection; `head` and `answer` are what it was answered with."""

    def __init__(self, body: bytes, **headers: bytes) -> None:
        self.target = b"/predict"
        self.headers = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
        self.body = body
        self.on_disconnect: Any = None
        self.head = self.answer = b""

    def respond(self, head: bytes, body: bytes) -> None:
        self.head, self.answer = head, body


class Model:
    """Answers at once: a body `422` fails so, others are their own responses."""

    max_batch_bytes = 1000
    ahead_bytes = None

    def predict(self, calls: list[Call], done: Done) -> None:
        done(
            [
                Failure(422, "Wrong", "it is") if each.body == b"422" else Prediction(each.body)
                for each in calls
            ],
            0.5,
        )


def begin(exchange: Given, state: State = READY, model: Model | None = None) -> None:
    batcher = Batcher(max_queue=1, max_batch=1, stuck_after=60)
    batcher.use(model or Model())
    predictor = PredictionHandler(batcher, lambda: state, max_body_bytes=MAX_BODY_BYTES)
    FastPath(predictor).begin(cast(Exchange, exchange))


async def completed(exchange: Given, state: State = READY) -> Given:
    begin(exchange, state)
    await asyncio.sleep(0)
    return exchange


async def test_a_response_is_json_with_the_callers_id_and_the_models_time() -> None:
    given = await completed(Given(b"{}", content_type=b"application/json", x_request_id=b"abc-1"))

    assert given.head.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"content-type: application/json",
        b"x-request-id: abc-1",
        b"server-timing: model;dur=500.000",
        b"",
    ]
    assert given.answer == b"{}"


@pytest.mark.parametrize("harmful", [b"", b"a\tb", b"\xff", b"x" * 129])
async def test_an_id_that_could_do_harm_is_replaced(harmful: bytes) -> None:
    given = await completed(Given(b"{}", content_type=b"application/json", x_request_id=harmful))

    identifier = given.head.split(b"x-request-id: ")[1].split(b"\r\n")[0]
    assert len(identifier) == 32
    assert identifier.isalnum()


@pytest.mark.parametrize(
    ("body", "content_type", "state", "status"),
    [
        (b"422", b"application/json", READY, 422),
        (b"{}", b"text/csv", READY, 415),
        (b" " * 101, b"application/json", READY, 413),
        (b"{}", b"application/json", State(READY.sandbox), 503),
    ],
)
async def test_a_problem_is_one_with_its_status(
    body: bytes, content_type: bytes, state: State, status: int
) -> None:
    given = await completed(Given(body, content_type=content_type, x_request_id=b"1"), state)

    lines = given.head.decode().split("\r\n")
    assert lines[0] == f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"
    assert lines[1:3] == ["content-type: application/problem+json", "x-request-id: 1"]
    problem = json.loads(given.answer)
    assert (problem["status"], problem["request_id"]) == (status, "1")
    assert problem["type"] == type_of(problem.get("reason"))
    assert ("retry-after: 1" in lines) == (status == 503)


async def test_the_content_type_says_that_a_body_is_a_matrix() -> None:
    asked: list[Call] = []

    class Remembers(Model):
        def predict(self, calls: list[Call], done: Done) -> None:
            asked.extend(calls)

    for target in (b"/predict", b"/v2/infer"):
        given = Given(b"{}", content_type=b"application/vnd.modelport.matrix")
        given.target = target
        begin(given, model=Remembers())
        await asyncio.sleep(0)

    assert [call.protocol for call in asked] == ["matrix"]
    assert given.head.startswith(b"HTTP/1.1 415")


async def test_a_caller_that_leaves_gets_no_response() -> None:
    given = Given(b"{}", content_type=b"application/json")
    begin(given)
    given.on_disconnect()
    await asyncio.sleep(0)

    assert given.head == b""


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
async def test_a_finished_exchange_is_gone_without_the_collector() -> None:
    given = await completed(Given(b"{}", content_type=b"application/json"))
    assert given.answer
    left = weakref.ref(given)

    del given

    assert left() is None
