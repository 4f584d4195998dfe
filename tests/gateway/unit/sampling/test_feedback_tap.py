"""What is kept of predictions of a model whose owner will say what is true."""

import asyncio
import json
from typing import Any

import pytest
from modelport_gateway.metrics import OBSERVED_DROPPED
from modelport_telemetry.usage.wire import ObservedPrediction

from tests.support.gateway_harness import SIGNATURE, Harness, model_object, slice_object
from tests.support.scripted_model import Received, Script, ScriptedModel, answering, http
from tests.support.waiting import until

ALL: dict[str, Any] = {"percent": 100}
CLASSIFIER = SIGNATURE | {"outputs": ["prediction", "probabilities"]}


def saying(**answer: Any) -> Script:
    return answering(http("200 OK", json.dumps(answer).encode()))


async def kept(harness: Harness) -> list[ObservedPrediction]:
    """All that was sent once nothing waits."""
    tap = harness.gateway._feedback
    await until(lambda: not tap._waiting and not tap._tasks)
    await harness.gateway.usage.turn()
    return [each for batch in harness.usage.batches for each in batch.observed]


async def serve(harness: Harness, model: ScriptedModel, feedback: dict[str, Any] = ALL, **spec: Any) -> None:
    harness.serve("iris", model.address, feedback=feedback, **spec)
    await harness.settle()


async def test_each_row_is_kept_once_under_the_requests_id(serving: Harness, model: ScriptedModel) -> None:
    await serve(serving, model)
    model.script = saying(
        predictions=["setosa", 2.5, True, 7], probabilities=[{"a": 1.0}, None, {}, {"b": 0}]
    )
    answer = await serving.predict(body={"inputs": [[1, 2], [3, 4], [5, 6], [7, 8]]})
    found = await kept(serving)
    assert [(each.row, each.prediction, each.probabilities) for each in found] == [
        (0, '"setosa"', '{"a":1.0}'), (1, "2.5", None), (2, "true", "{}"), (3, "7", '{"b":0}'),
    ]  # fmt: skip
    assert {(each.model, each.id, each.version) for each in found} == {
        ("iris", answer.headers["x-request-id"], "v1")
    }


async def test_no_other_model_and_no_failure_is_kept(serving: Harness, model: ScriptedModel) -> None:
    await serve(serving, model)
    serving.serve("other", model.address)
    await serving.settle()
    await serving.predict("other")
    model.script = answering(http("500 No", b'{"status": 500}', "application/problem+json"))
    await serving.predict(body={"input": [9, 9]})
    assert await kept(serving) == []


async def test_a_response_from_the_cache_is_kept_too(serving: Harness, model: ScriptedModel) -> None:
    await serve(serving, model)
    model.script = saying(prediction="setosa")
    ids = [(await serving.predict()).headers["x-request-id"] for _ in range(2)]
    assert len(model.received) == 1
    assert [each.id for each in await kept(serving)] == ids


@pytest.mark.parametrize(
    ("row", "id_"),
    [
        ({"a": "order-7", "b": 2}, "order-7"),
        ({"a": 7, "b": 2}, "7"),
        (["order-8", 2], "order-8"),
        ({"b": 2}, None),
        ({"a": 1.5, "b": 2}, None),
        ({"a": True, "b": 2}, None),
        ({"a": "", "b": 2}, None),
        ({"a": "x" * 129, "b": 2}, None),
        ({"a": "x\0", "b": 2}, None),
    ],
)
async def test_a_rows_own_id_stands_for_it(
    serving: Harness, model: ScriptedModel, row: Any, id_: str | None
) -> None:
    await serve(serving, model, {"percent": 100, "idField": "a"})
    model.script = saying(predictions=[0, 1])
    dropped = OBSERVED_DROPPED._value.get()
    await serving.predict(body={"inputs": [["first", 2], row]})
    expected = [("first", 0)] + ([] if id_ is None else [(id_, 0)])
    assert [(each.id, each.row) for each in await kept(serving)] == expected
    assert OBSERVED_DROPPED._value.get() - dropped == (id_ is None)


TENSORS = [
    {"name": "a", "shape": [2], "datatype": "BYTES", "data": ["order-7", "order-8"]},
    {"name": "b", "shape": [2, 1], "datatype": "FP64", "data": [1.5, 2.5]},
]


@pytest.mark.parametrize("shape", [[2], [2, 1]])
@pytest.mark.parametrize("id_field", [None, "a"])
async def test_rows_of_the_open_inference_protocol_are_kept_too(
    serving: Harness, model: ScriptedModel, shape: list[int], id_field: str | None
) -> None:
    await serve(serving, model, ALL | ({"idField": id_field} if id_field else {}), signature=CLASSIFIER)
    output = {"name": "predict", "shape": shape, "datatype": "BYTES", "data": ["setosa", "virginica"]}
    model.script = saying(outputs=[output])
    answer = await serving.http.post(
        "/v2/models/iris/infer", json={"inputs": TENSORS}, headers=serving.bearer
    )
    id_ = answer.headers["x-request-id"]
    assert [(each.id, each.row, each.prediction, each.probabilities) for each in await kept(serving)] == [
        ("order-7" if id_field else id_, 0, '"setosa"', None),
        ("order-8" if id_field else id_, 0 if id_field else 1, '"virginica"', None),
    ]
    # Nothing was asked for afterwards.
    assert len(model.received) == 1


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        [{"name": "predict"}],
        [{"name": "predict_proba", "shape": [1, 2], "datatype": "FP64", "data": [0.5, 0.5]}],
    ],
)
async def test_tensors_that_are_no_prediction_a_row_are_not_kept(
    serving: Harness, model: ScriptedModel, outputs: list[Any]
) -> None:
    await serve(serving, model)
    model.script = saying(outputs=outputs)
    await serving.http.post("/v2/models/iris/infer", json={"inputs": TENSORS}, headers=serving.bearer)
    assert await kept(serving) == []


def by_return(prediction: object, probabilities: object) -> Script:
    """A version that gives probabilities only if they are asked for."""

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        answer = {"prediction": prediction}
        if "probabilities" in json.loads(received.body).get("return", []):
            answer["probabilities"] = probabilities
        writer.write(http("200 OK", json.dumps(answer).encode()))
        await writer.drain()

    return script


async def test_probabilities_that_the_caller_did_not_ask_for_are_asked_for_afterwards(
    serving: Harness, model: ScriptedModel
) -> None:
    await serve(serving, model, signature=CLASSIFIER)
    model.script = by_return("setosa", {"setosa": 0.75, "virginica": 0.25})
    answer = await serving.predict()
    assert answer.json() == {"prediction": "setosa"}
    [one] = await kept(serving)
    assert json.loads(one.probabilities or "") == {"setosa": 0.75, "virginica": 0.25}
    assert sum(line.requests for batch in serving.usage.batches for line in batch.lines) == 1


async def test_what_the_caller_was_told_is_kept_where_the_version_says_something_else_afterwards(
    serving: Harness, model: ScriptedModel
) -> None:
    await serve(serving, model, signature=CLASSIFIER)

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        is_asked_again = "return" in json.loads(received.body)
        answer = {"prediction": "b", "probabilities": {"b": 1}} if is_asked_again else {"prediction": "a"}
        writer.write(http("200 OK", json.dumps(answer).encode()))
        await writer.drain()

    model.script = script
    await serving.predict()
    assert [(each.prediction, each.probabilities) for each in await kept(serving)] == [('"a"', None)]


async def test_a_version_that_does_not_answer_again_costs_nobody_the_prediction(
    serving: Harness, model: ScriptedModel
) -> None:
    await serve(serving, model, signature=CLASSIFIER)

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        if "return" in json.loads(received.body):
            writer.close()
            return
        writer.write(http("200 OK", b'{"prediction": "a"}'))
        await writer.drain()

    model.script = script
    await serving.predict()
    assert [(each.prediction, each.probabilities) for each in await kept(serving)] == [('"a"', None)]


async def test_a_sticky_models_sessions_and_callers_are_told_apart_and_not_named(
    serving: Harness, model: ScriptedModel
) -> None:
    await serve(serving, model, sticky="caller")
    model.script = saying(prediction=1)
    sessions = [{"X-Modelport-Session": name} for name in ("ada", "bob", "ada")]
    for headers in [*sessions, {}]:
        await serving.predict(headers=serving.bearer | headers)
    await serving.predict("iris/versions/v1")
    first, second, third, caller, pinned = [each.unit for each in await kept(serving)]
    assert first == third
    assert len({first, second, caller}) == 3
    assert pinned == ""
    assert "ada" not in first


async def test_units_are_the_same_before_anything_is_kept_on_a_version(
    serving: Harness, model: ScriptedModel
) -> None:
    model.script = saying(prediction=1)
    session = serving.bearer | {"X-Modelport-Session": "ada"}
    for sticky in (None, "session", "caller"):
        await serve(serving, model, sticky=sticky)
        for headers in (session, serving.bearer):
            await serving.predict(headers=headers)
    found = [each.unit for each in await kept(serving)]
    assert len(set(found[0::2])) == 1
    assert found[1] == found[5] != found[0]
    assert found[3] == ""


async def test_what_a_rollout_sent_to_a_version_is_told_apart(serving: Harness, model: ScriptedModel) -> None:
    served = model_object("iris", versions=("v1", "v2"), feedback=ALL)
    rollout = {"id": 3, "version": "v2", "baseline": "v1", "state": "Canary", "step": "25", "weight": 25}
    served["status"]["rollout"] = rollout
    serving.cluster.put("MLModel", served)
    serving.cluster.put("EndpointSlice", slice_object("iris", "v1", model.address))
    await serving.settle()
    model.script = saying(prediction=1)
    await serving.predict()
    await serving.predict("iris/versions/v1")
    assert [each.arm for each in await kept(serving)] == ["3:25:baseline", ""]


async def test_what_history_hides_is_not_kept_here_either(serving: Harness, model: ScriptedModel) -> None:
    history = {"percent": 1, "redactFields": ["a"]}
    await serve(serving, model, history=history)
    model.script = saying(predictions=["secret-name", "other"])
    await serving.predict(body={"inputs": [{"a": "secret-name", "b": 1}, {"a": "x", "b": 1}]})
    assert [(each.row, each.prediction) for each in await kept(serving)] == [(1, '"other"')]
    await serve(serving, model, {"percent": 100, "idField": "a"}, history=history)
    await serving.predict(body={"input": {"a": "secret-name", "b": 1}})
    assert len(await kept(serving)) == 1


async def test_rows_that_find_no_room_are_dropped_and_counted(
    serving: Harness, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await serve(serving, model)
    model.script = saying(predictions=[1, 2, 3])
    monkeypatch.setattr(serving.gateway.usage._observed, "_max_rows", 2)
    dropped = OBSERVED_DROPPED._value.get()
    await serving.predict(body={"inputs": [[1, 2], [3, 4], [5, 6]]})
    assert [each.prediction for each in await kept(serving)] == ["1", "2"]
    assert OBSERVED_DROPPED._value.get() - dropped == 1


def nested(levels: int) -> bytes:
    return b'{"input": {"a": %s1%s, "b": 1}}' % (b"[" * levels, b"]" * levels)


async def test_what_is_nested_too_deeply_ends_no_work(
    serving: Harness, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    await serve(serving, model, signature=CLASSIFIER)
    model.script = saying(prediction="a")
    await serving.predict(body=nested(300))
    # Not asked again, and kept as it was answered.
    assert [(each.prediction, each.probabilities) for each in await kept(serving)] == [('"a"', None)]
    assert len(model.received) == 1
    await serve(serving, model, signature=CLASSIFIER, history={"percent": 1, "redactFields": ["a"]})
    dropped = OBSERVED_DROPPED._value.get()
    await serving.predict(body=nested(1000))
    await serving.predict(body={"input": {"a": 2, "b": 1}})
    assert len(await kept(serving)) == 2
    assert OBSERVED_DROPPED._value.get() - dropped == 1
    assert "never retrieved" not in caplog.text
