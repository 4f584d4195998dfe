"""Which requests a gateway keeps, by both paths, and what it sends of them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from modelport_gateway.metrics import SAMPLES_DROPPED
from modelport_http.server import Server
from modelport_http.serving import build_config
from modelport_store.memory_store import MemoryStore
from modelport_telemetry.usage import kept_prediction
from modelport_telemetry.usage.kept_prediction import KeptPrediction

from tests.support.gateway_harness import OWNER, Harness, running_harness
from tests.support.scripted_model import Script, ScriptedModel, answering, http
from tests.support.waiting import until

ALL: dict[str, Any] = {"percent": 100}


@asynccontextmanager
async def by_the_fast_path(harness: Harness) -> AsyncIterator[httpx.AsyncClient]:
    server = Server(build_config(harness.gateway.app, drain=1, handler=harness.gateway.fast_path, port=0))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=harness.bearer, timeout=60
    ) as client:
        yield client
    server.should_exit = True
    await serving


@asynccontextmanager
async def by_asgi(harness: Harness) -> AsyncIterator[httpx.AsyncClient]:
    harness.http.headers.update(harness.bearer)
    yield harness.http


@pytest.fixture(params=[by_asgi, by_the_fast_path])
async def caller(request: pytest.FixtureRequest, serving: Harness) -> AsyncIterator[httpx.AsyncClient]:
    async with request.param(serving) as client:
        yield client


def saying(answer: dict[str, Any]) -> Script:
    return answering(http("200 OK", json.dumps(answer).encode()))


def refusing(status: int, problem: dict[str, Any]) -> Script:
    return answering(http(f"{status} No", json.dumps(problem).encode(), "application/problem+json"))


async def kept(harness: Harness, count: int) -> list[KeptPrediction]:
    """What was sent by the time that everything waiting must have been."""
    await asyncio.sleep(0.15)
    await harness.gateway.usage.turn()
    found = [kept_prediction.decode(each.payload) for each in harness.usage.samples if each.kind == "history"]
    assert len(found) == count, found
    return found


async def test_a_failure_of_our_own_is_kept_as_the_caller_got_it(
    caller: httpx.AsyncClient, serving: Harness, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("a bug")

    serving.serve("iris", model.address, history=ALL)
    await serving.settle()
    monkeypatch.setattr(serving.gateway.fast_path._handler._prediction._dispatch, "send", fail)
    answer = await caller.post("/predict/iris", json={"input": [1]})
    [one] = await kept(serving, 1)
    assert (answer.status_code, one.status, one.answer) == (500, 500, answer.text)


async def test_a_request_and_its_response_are_kept_as_they_were(
    caller: httpx.AsyncClient, serving: Harness, model: ScriptedModel
) -> None:
    serving.serve("iris", model.address, history=ALL)
    await serving.settle()
    body = b'{"input": {"a": 1.50, "b": null}}'
    headers = {"Content-Type": "application/json", "X-Request-ID": "mine"}
    first = await caller.post("/predict/iris", content=body, headers=headers)
    again = await caller.post("/predict/iris", content=body, headers=headers)
    assert (first.headers["x-cache"], again.headers["x-cache"]) == ("miss", "hit")
    [one, other] = await kept(serving, 2)
    assert (one.request, one.answer) == (body.decode(), first.text)
    assert (one.model, one.version, one.caller, one.api_key) == ("iris", "v1", OWNER, "")
    assert (one.status, one.reason, one.request_id, one.request_bytes) == (200, "", "mine", len(body))
    assert [one.cache, other.cache] == ["miss", "hit"]
    assert 0 < one.seconds < 10


async def test_a_response_that_was_compressed_is_kept_as_it_was_before(
    caller: httpx.AsyncClient, serving: Harness, model: ScriptedModel
) -> None:
    serving.serve("iris", model.address, history=ALL)
    await serving.settle()
    model.script = saying({"prediction": "a" * 2000})
    response = await caller.post("/predict/iris", json={"input": [1]}, headers={"Accept-Encoding": "gzip"})
    [one] = await kept(serving, 1)
    assert response.headers["content-encoding"] == "gzip"
    assert one.answer == response.text


async def test_refusals_of_the_model_and_bodies_that_are_no_json(
    caller: httpx.AsyncClient, serving: Harness, model: ScriptedModel
) -> None:
    serving.serve("iris", model.address, history=ALL)
    await serving.settle()
    model.script = refusing(500, {"status": 500, "detail": "it raised", "reason": "ModelError"})
    headers = {"Content-Type": "application/json", "X-API-Key": serving.control.issue_key()}
    del caller.headers["authorization"]
    refused = await caller.post("/predict/iris", content=b"\xff{no json", headers=headers)
    assert refused.status_code == 500
    [one] = await kept(serving, 1)
    assert (one.status, one.reason, one.api_key, one.request) == (500, "ModelError", "k1", None)
    assert (one.request_bytes, one.truncated) == (9, False)
    assert json.loads(one.answer or "")["reason"] == "ModelError"


async def test_nothing_redacted_is_in_what_the_gateway_sends(
    caller: httpx.AsyncClient, serving: Harness, model: ScriptedModel
) -> None:
    serving.serve("iris", model.address, history={"percent": 100, "redactFields": ["b"]})
    await serving.settle()
    secret = "Jane-Doe-1971"
    for row in ({"a": 1, "b": secret}, [1, secret], {"b": {"b": secret}}, [secret], {"c": secret}, secret):
        await caller.post("/predict/iris", json={"input": row})
    problem = {"status": 422, "detail": secret, "errors": [{"field": "input.b", "message": secret}]}
    for number, script in enumerate((refusing(422, problem), saying({"prediction": secret}))):
        model.script = script
        await caller.post("/predict/iris", json={"input": {"a": 10 + number, "b": secret}})
    assert all(each.redacted_fields == ["b"] for each in await kept(serving, 8))
    assert secret.encode() not in b"".join(each.payload for each in serving.usage.samples)


async def test_long_ones_are_kept_without_their_bodies(
    caller: httpx.AsyncClient, serving: Harness, model: ScriptedModel
) -> None:
    serving.serve("iris", model.address, history={"percent": 100, "maxRowBytes": 1024})
    await serving.settle()
    await caller.post("/predict/iris", json={"input": {"a": 1, "b": "x" * 2000}})
    [one] = await kept(serving, 1)
    assert (one.request, one.answer, one.truncated) == (None, None, True)
    assert one.request_bytes > 2000


async def test_nothing_is_kept_of_a_model_without_history_or_of_those_who_may_not_ask(
    caller: httpx.AsyncClient, serving: Harness, model: ScriptedModel
) -> None:
    await caller.post("/predict/iris", json={"input": {"a": 1}})
    serving.serve("iris", model.address, history=ALL)
    await serving.settle()
    del caller.headers["authorization"]
    assert (await caller.post("/predict/iris", json={"input": {"a": 1}})).status_code == 401
    assert (await caller.get("/v2/models/iris")).status_code == 401
    await kept(serving, 0)


async def test_a_share_and_at_most_so_many_a_second(model: ScriptedModel) -> None:
    async with running_harness(
        MemoryStore(), limit_predict="100000/second", history_rows_per_second=30
    ) as harness:
        harness.serve("some", model.address, history={"percent": 10})
        harness.serve("all", model.address, history=ALL)
        await harness.settle()
        for _ in range(200):
            await harness.predict("some")
        dropped = SAMPLES_DROPPED.labels("history")._value.get()
        for _ in range(200):
            await harness.predict("all")
        await asyncio.sleep(1)
        await harness.gateway.usage.turn()
        models = [kept_prediction.decode(each.payload).model for each in harness.usage.samples]
        # 200 tries at 10 %: outside of this once in a million.
        assert 2 <= models.count("some") <= 45
        assert 30 <= models.count("all") < 200
        assert models.count("all") + SAMPLES_DROPPED.labels("history")._value.get() - dropped == 200


async def test_what_waits_is_sent_when_the_gateway_stops(model: ScriptedModel) -> None:
    async with running_harness(MemoryStore(), limit_predict="1000/second") as harness:
        harness.serve("iris", model.address, history=ALL)
        await harness.settle()
        for _ in range(15):
            await harness.predict()
    assert len(harness.usage.samples) == 15
