"""Copies of requests to the other version of a rollout: what is counted of them, and what callers notice."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from modelport_evidence import counters
from modelport_evidence.counters import BASELINE, CANDIDATE
from modelport_store.memory_store import MemoryStore

from tests.support.gateway_harness import Harness, model_object, running_harness, slice_object
from tests.support.scripted_model import Received, Script, ScriptedModel, answering, http, scripted_model
from tests.support.waiting import until

SHADOW = {
    "id": 3,
    "version": "v2",
    "baseline": "v1",
    "state": "Shadowing",
    "step": "shadow",
    "shadowPercent": 100,
}
CANARY = SHADOW | {"state": "Canary", "step": "5", "weight": 5}


def saying(prediction: Any, status: str = "200 OK") -> Script:
    return answering(http(status, json.dumps({"prediction": prediction}).encode()))


def refusing(status: int) -> Script:
    problem = json.dumps({"status": status, "detail": "no"}).encode()
    return answering(http(f"{status} No", problem, "application/problem+json"))


async def hang(_: Received, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.fixture
async def candidate(tmp_path: Path) -> AsyncIterator[ScriptedModel]:
    async with scripted_model(tmp_path / "candidate.sock") as running:
        yield running


def roll(
    harness: Harness,
    model: ScriptedModel,
    candidate: ScriptedModel,
    rollout: dict[str, Any] = SHADOW,
    **spec: Any,
) -> None:
    """v1 at `model`, v2 at `candidate`."""
    served = model_object("iris", versions=("v1", "v2"), **spec)
    served["status"]["rollout"] = rollout
    harness.cluster.put("MLModel", served)
    harness.cluster.put("EndpointSlice", slice_object("iris", "v1", model.address))
    harness.cluster.put("EndpointSlice", slice_object("iris", "v2", candidate.address))


async def counted(harness: Harness, pairs: int = 1) -> dict[str, int]:
    """What was counted, of one step, once so many pairs were, without latencies."""
    done = (counters.PAIRS, counters.DROPPED)

    def total() -> int:
        return sum(evidence(harness, without=()).get(name, 0) for name in done)

    await until(lambda: total() + waiting(harness) >= pairs)
    await harness.gateway.usage.turn()
    return evidence(harness)


def waiting(harness: Harness) -> int:
    """Pairs that are counted and in no batch yet."""
    kept = harness.gateway.usage._evidence._counts
    names = {counters.PAIRS, counters.DROPPED}
    return sum(count for step in kept.values() for name, count in step.items() if name in names)


def evidence(harness: Harness, without: tuple[str, ...] = ("latency",)) -> dict[str, int]:
    found: Counter[str] = Counter()
    for batch in harness.usage.batches:
        for line in batch.evidence:
            assert (line.model, line.rollout) == ("iris", 3)
            found[line.counter] += line.count
    return {name: count for name, count in found.items() if not any(each in name for each in without)}


def live(side: str, requests: int = 1) -> dict[str, int]:
    return {counters.live_requests(side): requests}


async def test_an_answer_like_the_callers_is_an_agreement(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    await serving.settle()
    answer = await serving.predict()
    found = await counted(serving)
    assert found == live(BASELINE) | {
        counters.PAIRS: 1,
        counters.ROWS: 1,
        counters.DISAGREEMENTS: 0,
    }
    assert answer.headers["x-modelport-version"] == "v1"
    assert candidate.received[0].body == model.received[0].body
    assert candidate.received[0].path == "/predict"


async def test_another_answer_is_a_disagreement_and_counts_where_it_was(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    candidate.script = saying("virginica")
    await serving.settle()
    assert (await serving.predict(body={"input": {"a": 1, "c": "red"}})).json()["prediction"] == "setosa"
    found = await counted(serving)
    assert (found[counters.ROWS], found[counters.DISAGREEMENTS]) == (1, 1)
    named = {name.partition(":")[2] for name in found if name.startswith("segment.rows:")}
    assert named == {"`b` is missing", "`c` is red"}
    assert found[counters.segment_disagreements("`b` is missing")] == 1


async def test_values_of_redacted_fields_are_never_named(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate, history={"percent": 1, "redactFields": ["c"]})
    await serving.settle()
    await serving.predict(body={"input": {"a": 1, "b": 2, "c": "red"}})
    assert "red" not in str(await counted(serving))


@pytest.mark.parametrize(
    ("script", "counter"),
    [
        (refusing(422), counters.refused_alone(CANDIDATE)),
        (refusing(500), counters.failed_alone(CANDIDATE)),
        (answering(b"nonsense\r\n\r\n"), counters.failed_alone(CANDIDATE)),
        (saying("setosa", "503 Busy"), counters.DROPPED),
    ],
    ids=["refuses", "fails", "makes no sense", "is busy"],
)
async def test_what_the_candidate_alone_does_not_answer(
    script: Script, counter: str, serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    candidate.script = script
    await serving.settle()
    assert (await serving.predict()).status_code == 200
    found = await counted(serving)
    assert found[counter] == 1
    assert counters.ROWS not in found


async def test_what_the_baseline_alone_refuses_speaks_for_the_candidate(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    model.script = refusing(422)
    await serving.settle()
    assert (await serving.predict()).status_code == 422
    found = await counted(serving)
    assert found[counters.refused_alone(BASELINE)] == 1
    assert found[counters.live_refusals(BASELINE)] == 1


async def test_what_the_candidate_answered_is_copied_to_the_baseline(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    traffic = [{"version": "v1", "weight": 0}, {"version": "v2", "weight": 100}]
    roll(serving, model, candidate, CANARY, traffic=traffic)
    candidate.script = saying("virginica")
    await serving.settle()
    assert (await serving.predict()).json()["prediction"] == "virginica"
    found = await counted(serving)
    assert found[counters.live_requests(CANDIDATE)] == 1
    assert found[counters.DISAGREEMENTS] == 1
    assert len(model.received) == 1


async def test_callers_who_name_a_version_are_not_counted(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    await serving.settle()
    assert (await serving.predict("iris/versions/v2")).status_code == 200
    await serving.predict()
    assert await counted(serving) == live(BASELINE) | {
        counters.PAIRS: 1,
        counters.ROWS: 1,
        counters.DISAGREEMENTS: 0,
    }


async def test_a_copy_counts_as_no_usage_and_is_not_cached(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    candidate.script = saying("virginica")
    await serving.settle()
    first = await serving.predict()
    await until(lambda: len(candidate.received) == 1)
    again = await serving.predict()
    assert (first.headers["x-cache"], again.headers["x-cache"]) == ("miss", "hit")
    assert again.json()["prediction"] == "setosa"
    remaining = [
        int(each.headers["ratelimit"].partition("r=")[2].partition(";")[0]) for each in (first, again)
    ]
    assert remaining[0] - remaining[1] <= 1
    await until(lambda: len(candidate.received) == 2)
    await serving.gateway.usage.turn()
    requests = sum(line.requests for batch in serving.usage.batches for line in batch.lines)
    assert requests == 2


async def test_a_candidate_that_hangs_holds_nobody_up_and_fills_no_more_than_its_room(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    candidate.script = hang
    await serving.settle()
    answers = await asyncio.gather(
        *(serving.predict(body={"input": {"a": each, "b": 1}}) for each in range(600))
    )
    assert {each.status_code for each in answers} == {200}
    await until(lambda: len(candidate.received) == 1)
    found = await counted(serving, 600 - 21)
    # One is under way, 20 wait: 19 of them where all came before its turn.
    assert 600 - 21 <= found[counters.DROPPED] <= 600 - 20
    await serving.gateway._copying.aclose()
    await serving.gateway.usage.turn()
    assert evidence(serving)[counters.DROPPED] == 600 - 1
    assert found[counters.live_requests(BASELINE)] == 600


async def test_a_candidate_that_hangs_holds_up_no_other_models_copies(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    other = model_object("wine", versions=("v1", "v2"))
    other["status"]["rollout"] = SHADOW
    serving.cluster.put("MLModel", other)
    for version in ("v1", "v2"):
        serving.cluster.put("EndpointSlice", slice_object("wine", version, model.address))
    candidate.script = hang
    await serving.settle()
    for number in range(30):
        await serving.predict(body={"input": {"a": number, "b": 1}})
    await until(lambda: len(candidate.received) == 1)
    before = len(model.received)
    await serving.predict("wine")
    await until(lambda: len(model.received) == before + 2)


async def test_a_replica_that_callers_use_gets_no_copy_until_it_is_idle(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    candidate.script = hang
    await serving.settle()
    by_name = asyncio.create_task(serving.predict("iris/versions/v2"))
    await until(lambda: len(candidate.received) == 1)
    await serving.predict()
    # A few turns of the copies.
    await asyncio.sleep(0.05)
    assert len(candidate.received) == 1
    candidate.script = saying("setosa")
    by_name.cancel()
    await asyncio.gather(by_name, return_exceptions=True)
    await until(lambda: len(candidate.received) == 2)


async def test_nothing_is_copied_while_callers_wait_for_the_model(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = [True]
    monkeypatch.setattr(serving.gateway._copying, "_callers_wait", lambda _: waiting[0])
    roll(serving, model, candidate)
    await serving.settle()
    await serving.predict()
    # A few turns of the copies.
    await asyncio.sleep(0.05)
    assert candidate.received == []
    waiting[0] = False
    await until(lambda: len(candidate.received) == 1)


async def test_that_callers_wait_for_the_model_is_known(
    model: ScriptedModel, candidate: ScriptedModel
) -> None:
    async with running_harness(MemoryStore(), max_in_flight=1) as harness:
        roll(harness, model, candidate)
        model.script = hang
        await harness.settle()
        route = harness.gateway._table.get("iris")
        callers_wait = harness.gateway._copying._callers_wait
        assert route is not None
        assert not callers_wait(route)
        callers = [asyncio.create_task(harness.predict(body={"input": {"a": number}})) for number in range(4)]
        await until(lambda: callers_wait(route))
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)


async def test_one_row_counts_of_a_request_however_many_it_has(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    answers = [json.dumps({"predictions": [label] * 1000}).encode() for label in ("setosa", "virginica")]
    model.script, candidate.script = (answering(http("200 OK", each)) for each in answers)
    roll(serving, model, candidate)
    await serving.settle()
    await serving.predict(body={"inputs": [{"a": 1, "c": "red"}] * 1000})
    found = await counted(serving)
    assert (found[counters.PAIRS], found[counters.ROWS], found[counters.DISAGREEMENTS]) == (1, 1, 1)
    assert found[counters.segment_rows("`c` is red")] == 1


async def test_how_slow_a_copy_to_the_baseline_was_says_nothing(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    traffic = [{"version": "v1", "weight": 0}, {"version": "v2", "weight": 100}]
    roll(serving, model, candidate, CANARY, traffic=traffic)
    await serving.settle()
    await serving.predict()
    await counted(serving)
    assert not [name for name in evidence(serving, without=()) if name.startswith("shadow.latency")]
    roll(serving, model, candidate)
    await serving.settle()
    await serving.predict(body={"input": {"a": 5}})
    await counted(serving, 2)
    found = evidence(serving, without=())
    assert sum(count for name, count in found.items() if name.startswith("shadow.latency.candidate:")) == 1


async def test_callers_latencies_are_counted_of_what_a_model_answered(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate, SHADOW | {"shadowPercent": 0})
    await serving.settle()
    first, again = await serving.predict(), await serving.predict()
    assert (first.headers["x-cache"], again.headers["x-cache"]) == ("miss", "hit")
    await serving.gateway.usage.turn()
    found = evidence(serving, without=())
    assert found[counters.live_requests(BASELINE)] == 2
    assert sum(count for name, count in found.items() if name.startswith("live.latency.baseline:")) == 1


@pytest.mark.parametrize(
    "rollout", [SHADOW | {"state": "RolledBack", "step": ""}, SHADOW | {"shadowPercent": 0}]
)
async def test_nothing_is_copied_that_is_not_asked_for(
    rollout: dict[str, Any], serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate, rollout)
    await serving.settle()
    for _ in range(3):
        assert (await serving.predict()).status_code == 200
    await serving.settle()
    assert candidate.received == []


async def test_evidence_is_in_one_batch_which_is_sent_until_it_is_confirmed(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate, SHADOW | {"shadowPercent": 0})
    await serving.settle()
    await serving.predict()
    serving.usage.confirms = False
    await serving.gateway.usage.turn()
    [batch] = serving.usage.batches
    assert {line.counter: line.count for line in batch.evidence if "latency" not in line.counter} == live(
        BASELINE
    )
    await serving.gateway.usage.turn()
    assert sum(len(each.evidence) for each in serving.usage.batches if each.id != batch.id) == 0


async def test_texts_that_a_database_refuses_are_in_no_segment(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    await serving.settle()
    await serving.predict(body={"input": {"a": "x\0", "b\0": None, "b": "\u202e"}})
    found = await counted(serving)
    assert found[counters.PAIRS] == 1
    assert not [name for name in found if name.startswith("segment")]


async def test_of_many_values_the_first_few_are_segments(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    await serving.settle()
    for number in range(30):
        await serving.predict(body={"input": {"a": f"id {number}", "b": True}})
        await counted(serving, number + 1)
    found = evidence(serving)
    of_a = {name: count for name, count in found.items() if name.startswith("segment.rows:`a`")}
    assert of_a == {counters.segment_rows(f"`a` is id {number}"): 1 for number in range(20)}
    assert found[counters.segment_rows("`b` is True")] == 30


async def test_fields_are_no_more_than_a_few_however_rows_name_them(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    await serving.settle()
    for number in range(30):
        await serving.predict(body={"input": {"a": 1, "b": 2, f"c{number}": True}})
        await counted(serving, number + 1)
    found = evidence(serving)
    assert len([name for name in found if name.startswith("segment.rows:")]) == 20


@pytest.mark.parametrize("garbage", [b"{not json", b"\xff"])
async def test_a_candidate_that_answers_no_json_has_failed(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel, garbage: bytes
) -> None:
    candidate.script = answering(http("200 OK", garbage))
    roll(serving, model, candidate)
    await serving.settle()
    assert (await serving.predict()).status_code == 200
    assert await counted(serving) == live(BASELINE) | {counters.PAIRS: 1, counters.failed_alone(CANDIDATE): 1}


async def test_an_endless_answer_is_not_compared(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    candidate.script = saying("x" * 2_000_000)
    roll(serving, model, candidate)
    await serving.settle()
    assert (await serving.predict()).status_code == 200
    assert await counted(serving) == live(BASELINE) | {counters.DROPPED: 1}


async def test_what_the_gateway_could_not_send_judges_no_version(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    serving.cluster.delete("EndpointSlice", "iris-v1")
    await serving.settle()
    assert (await serving.predict()).status_code == 503
    await serving.gateway.usage.turn()
    assert evidence(serving) == live(BASELINE) | {counters.live_errors(BASELINE): 1}
    assert candidate.received == []


# The Open Inference Protocol

TENSORS = [
    {"name": "a", "shape": [2, 1], "datatype": "FP64", "data": [1.5, 2.5]},
    {"name": "c", "shape": [2], "datatype": "BYTES", "data": ["red", "red"]},
]


def by_tensors(labels: list[str], chances: list[float] | None = None) -> Script:
    outputs: list[Any] = [{"name": "predict", "shape": [2], "datatype": "BYTES", "data": labels}]
    if chances:
        outputs.append({"name": "predict_proba", "shape": [2, 2], "datatype": "FP64", "data": chances})
    return answering(http("200 OK", json.dumps({"outputs": outputs}).encode()))


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        (by_tensors(["a", "a"]), by_tensors(["a", "a"]), 0),
        (by_tensors(["a", "a"]), by_tensors(["b", "b"]), 1),
        (by_tensors(["a", "a"]), by_tensors(["a"]), 1),
        (by_tensors(["a", "a"], [0.9, 0.1] * 2), by_tensors(["a", "a"], [0.85, 0.15] * 2), 0),
        (by_tensors(["a", "a"], [0.9, 0.1] * 2), by_tensors(["a", "a"], [0.6, 0.4] * 2), 1),
        (by_tensors(["a", "a"]), saying("a"), 1),
    ],
    ids=["same", "other labels", "fewer rows", "like probabilities", "others", "no tensors"],
)
async def test_tensors_are_compared_too(
    *,
    serving: Harness,
    model: ScriptedModel,
    candidate: ScriptedModel,
    first: Script,
    second: Script,
    differs: int,
) -> None:
    roll(serving, model, candidate)
    model.script, candidate.script = first, second
    await serving.settle()
    await serving.http.post("/v2/models/iris/infer", json={"inputs": TENSORS}, headers=serving.bearer)
    found = await counted(serving)
    assert (found[counters.ROWS], found[counters.DISAGREEMENTS]) == (1, differs)
    assert counters.segment_rows("`c` is red") in found
    assert candidate.received[0].path == "/v2/infer"
    assert candidate.received[0].body == model.received[0].body


async def test_binary_tensors_are_not_copied(
    serving: Harness, model: ScriptedModel, candidate: ScriptedModel
) -> None:
    roll(serving, model, candidate)
    model.script = by_tensors(["a", "a"])
    await serving.settle()
    head = json.dumps(
        {"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 8}}]}
    )
    answer = await serving.http.post(
        "/v2/models/iris/infer",
        content=head.encode() + bytes(8),
        headers=serving.bearer
        | {
            "Content-Type": "application/octet-stream",
            "Inference-Header-Content-Length": str(len(head)),
        },
    )
    assert answer.status_code == 200
    await serving.gateway.usage.turn()
    assert evidence(serving) == live(BASELINE)
    assert candidate.received == []
