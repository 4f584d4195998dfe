"""What a caller gets for good and for bad requests."""

import asyncio
from typing import Any

import pytest
from modelport_gateway.settings import Settings
from modelport_store.memory_store import MemoryStore
from prometheus_client import REGISTRY

from tests.support.gateway_harness import Harness, build_harness, model_object, running_harness, slice_object
from tests.support.scripted_model import Received, ScriptedModel, answering, http
from tests.support.waiting import until


async def test_a_prediction_is_the_models_own_bytes(serving: Harness, model: ScriptedModel) -> None:
    model.script = answering(http("200 OK", b'{"prediction" :  1}'))
    response = await serving.predict()
    assert response.status_code == 200
    assert response.content == b'{"prediction" :  1}'
    assert response.headers["x-modelport-version"] == "v1"
    assert response.headers["x-cache"] == "miss"
    assert response.headers["ratelimit-policy"].startswith('"predict"')
    assert "model;dur=" in response.headers["server-timing"]
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"] == model.received[0].headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict/iris", 405),
        ("PUT", "/predict/iris/versions/v1", 405),
        ("POST", "/v2/models/iris", 405),
        ("POST", "/v2/models/iris/ready", 405),
        ("POST", "/healthz", 405),
        ("POST", "/predict/", 404),
        ("POST", "/predict/UPPER", 404),
        ("POST", "/predict/../etc", 404),
        ("POST", "/predict/" + "a" * 64, 404),
        ("POST", "/predict/iris/versions/latest", 404),
        ("POST", "/predict/iris/versions/v2", 404),
        ("GET", "/elsewhere", 404),
    ],
)
async def test_a_wrong_method_is_a_405_and_a_wrong_path_a_404(
    serving: Harness, method: str, path: str, status: int
) -> None:
    response = await serving.http.request(method, path, json={"input": [1, 2]}, headers=serving.bearer)
    assert response.status_code == status
    # Clients of /v2 read no other type.
    wanted = "application/json" if path.startswith("/v2/") else "application/problem+json"
    assert response.headers["content-type"] == wanted
    assert ("allow" in response.headers) == (status == 405)


async def test_another_content_type_is_415(serving: Harness, model: ScriptedModel) -> None:
    response = await serving.predict(body=b"a=1", headers={**serving.bearer, "Content-Type": "text/plain"})
    assert response.status_code == 415
    assert not model.received


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_413(serving: Harness, model: ScriptedModel, declared: bool) -> None:
    big = b'"' + b"x" * (11 * 1024 * 1024) + b'"'

    async def chunks():  # type: ignore[no-untyped-def]  # httpx takes any asynchronous iterable
        yield big

    headers = {**serving.bearer, "Content-Type": "application/json"}
    content = big if declared else chunks()
    response = await serving.http.post("/predict/iris", content=content, headers=headers)
    assert response.status_code == 413
    assert not model.received


async def test_what_is_not_json_is_for_the_model_to_refuse(serving: Harness, model: ScriptedModel) -> None:
    problem = b'{"status": 400, "detail": "Not JSON.", "extra": "dropped"}'
    model.script = answering(
        http("400 Bad Request", problem, "application/problem+json", "Set-Cookie: a=b\r\n")
    )
    response = await serving.predict(
        body=b"{nope", headers={**serving.bearer, "Content-Type": "application/json"}
    )
    assert response.status_code == 400
    assert response.json()["detail"] == "Not JSON."
    assert "extra" not in response.json()
    assert "set-cookie" not in response.headers


async def test_a_models_field_errors_and_reason_are_passed_on(serving: Harness, model: ScriptedModel) -> None:
    said = b'{"detail": "bad", "reason": "ModelError", "errors": [{"field": "a", "message": "m", "x": 1}, 7]}'
    model.script = answering(http("422 Unprocessable", said, "application/problem+json"))
    response = (await serving.predict()).json()
    assert response["errors"] == [{"field": "a", "message": "m"}]
    assert response["reason"] == "ModelError"


async def test_no_reason_beyond_the_closed_set_is_passed_on(serving: Harness, model: ScriptedModel) -> None:
    said = b'{"detail": ["no text"], "reason": "Invented", "errors": "none"}'
    model.script = answering(http("500 Oops", said, "application/problem+json"))
    response = await serving.predict()
    assert response.status_code == 500
    assert "reason" not in response.json()
    assert "errors" not in response.json()


async def test_over_the_models_own_limit_is_429_for_that_caller_alone(
    harness: Harness, model: ScriptedModel
) -> None:
    harness.serve("iris", model.address, access="public", rateLimit={"requests": 2, "periodSeconds": 3600})
    await harness.settle()
    responses = [await harness.predict() for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert int(responses[2].headers["retry-after"]) > 0
    assert responses[2].headers["ratelimit"].startswith('"predict";r=0')
    assert (await harness.predict(headers={})).status_code == 200


async def test_a_pinned_version_gets_the_request(harness: Harness, model: ScriptedModel) -> None:
    harness.serve("iris", model.address, versions=("v1", "v2"))
    await harness.settle()
    assert (await harness.predict("iris/versions/v2")).headers["x-modelport-version"] == "v2"
    assert (await harness.predict("iris")).headers["x-modelport-version"] == "v1"


async def test_a_version_that_has_not_predicted_its_sample_gets_no_requests(
    harness: Harness, model: ScriptedModel
) -> None:
    harness.serve("iris", model.address, versions=("v1", "v2"), answered=("v1",))
    await harness.settle()
    response = await harness.predict("iris/versions/v2")
    assert (response.status_code, response.json()["reason"]) == (503, "NoReadyVersion")
    assert not model.received


async def test_without_a_ready_replica_it_is_503_soon(harness: Harness) -> None:
    harness.cluster.put("MLModel", model_object())
    await harness.settle()
    response = await harness.predict()
    assert (response.status_code, response.json()["reason"]) == (503, "NoReadyVersion")
    assert response.headers["retry-after"]


async def test_a_request_waits_a_little_for_a_replica_to_come_back(
    harness: Harness, model: ScriptedModel
) -> None:
    harness.cluster.put("MLModel", model_object())
    await harness.settle()
    waiting = asyncio.create_task(harness.predict())
    await asyncio.sleep(0.05)
    harness.cluster.put("EndpointSlice", slice_object("iris", "v1", model.address))
    assert (await waiting).status_code == 200


def serve_split(harness: Harness, model: ScriptedModel, **spec: Any) -> None:
    split = [{"version": "v1", "weight": 50}, {"version": "v2", "weight": 50}]
    harness.serve("iris", model.address, versions=("v1", "v2"), traffic=split, **spec)


async def versions_of(harness: Harness, session: str | None, requests: int = 5) -> set[str]:
    headers = harness.bearer | ({} if session is None else {"X-Modelport-Session": session})
    responses = [await harness.predict(headers=headers) for _ in range(requests)]
    return {response.headers["x-modelport-version"] for response in responses}


@pytest.mark.parametrize("sticky", ["caller", "session"])
async def test_a_session_header_keeps_its_callers_on_one_version(
    harness: Harness, model: ScriptedModel, sticky: str
) -> None:
    serve_split(harness, model, sticky=sticky)
    await harness.settle()
    of_sessions = [await versions_of(harness, str(number)) for number in range(20)]
    assert all(len(versions) == 1 for versions in of_sessions)
    assert set().union(*of_sessions) == {"v1", "v2"}


@pytest.mark.parametrize("session", [None, "one"])
async def test_each_request_is_drawn_unless_the_model_is_sticky(
    harness: Harness, model: ScriptedModel, session: str | None
) -> None:
    serve_split(harness, model)
    await harness.settle()
    assert await versions_of(harness, session, 50) == {"v1", "v2"}


@pytest.mark.parametrize("session", [None, ""])
async def test_what_names_no_session_is_drawn_where_only_sessions_stick(
    harness: Harness, model: ScriptedModel, session: str | None
) -> None:
    serve_split(harness, model, sticky="session")
    await harness.settle()
    assert await versions_of(harness, session, 50) == {"v1", "v2"}


@pytest.mark.parametrize("session", [None, ""])
async def test_what_names_no_session_stays_with_its_caller_where_callers_stick(
    harness: Harness, model: ScriptedModel, session: str | None
) -> None:
    serve_split(harness, model, sticky="caller")
    await harness.settle()
    assert len(await versions_of(harness, session, 50)) == 1


async def test_stickiness_is_in_force_as_soon_as_the_model_asks_for_it(
    harness: Harness, model: ScriptedModel
) -> None:
    serve_split(harness, model)
    await harness.settle()
    assert len(await versions_of(harness, "one", 50)) == 2
    serve_split(harness, model, sticky="session")
    await harness.settle()
    assert len(await versions_of(harness, "one", 50)) == 1


async def test_a_full_queue_is_503(model: ScriptedModel) -> None:
    release = asyncio.Event()

    async def hold(request: Received, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await answering(http("200 OK", b"{}"))(request, writer)

    model.script = hold
    async with running_harness(MemoryStore(), max_in_flight=1, max_waiting=1) as harness:
        harness.serve("iris", model.address)
        await harness.settle()
        served = [asyncio.create_task(harness.predict(body={"input": [row, 1]})) for row in range(2)]
        await until(lambda: REGISTRY.get_sample_value("modelport_gateway_waiting_requests") == 1)
        refused = await harness.predict(body={"input": [9, 9]})
        release.set()
        assert [response.status_code for response in await asyncio.gather(*served)] == [200, 200]
    assert (refused.status_code, refused.json()["reason"]) == (503, "QueueFull")
    assert refused.headers["retry-after"]


async def test_the_open_inference_protocol_is_passed_on(serving: Harness, model: ScriptedModel) -> None:
    response = await serving.http.post("/v2/models/iris/infer", json={"inputs": []}, headers=serving.bearer)
    assert (response.status_code, response.headers["x-cache"]) == (200, "bypass")
    await serving.http.get("/v2/models/iris", headers=serving.bearer)
    assert [(each.method, each.path) for each in model.received] == [("POST", "/v2/infer"), ("GET", "/v2")]
    ready = await serving.http.get("/v2/models/iris/ready", headers=serving.bearer)
    assert ready.json() == {"name": "iris", "ready": True}
    assert (await serving.http.get("/v2/health/ready")).json() == {"ready": True}
    assert (await serving.http.get("/v2")).json()["name"] == "modelport"


async def test_metrics_count_what_was_served(serving: Harness) -> None:
    await serving.predict()
    text = (await serving.http.get("/metrics")).text
    assert 'modelport_gateway_requests_total{cache="miss",status="2xx"}' in text
    assert "modelport_gateway_in_flight_requests 0.0" in text


async def test_a_gateway_that_has_read_nothing_yet_says_so() -> None:
    harness = build_harness(MemoryStore())
    responses = [await harness.http.get(path) for path in ("/readyz", "/v2/health/ready", "/healthz")]
    assert [response.status_code for response in responses] == [503, 503, 200]


async def test_a_gateway_that_has_read_nothing_yet_denies_neither_models_nor_callers() -> None:
    """Whose model and token are good would be told that they are not."""
    harness = build_harness(MemoryStore())
    unknown_model = await harness.predict()
    harness.control.away = True
    unchecked = await harness.predict(headers={"Authorization": f"Bearer {harness.control.token(jti='b')}"})
    assert [each.status_code for each in (unknown_model, unchecked)] == [503, 503]
    assert all(each.headers["retry-after"] for each in (unknown_model, unchecked))
    assert "does not know all models yet" in unknown_model.json()["detail"]


async def test_traffic_without_weight_is_no_ready_version(harness: Harness, model: ScriptedModel) -> None:
    harness.serve("iris", model.address, traffic=[])
    await harness.settle()
    response = await harness.predict()
    assert (response.status_code, response.json()["reason"]) == (503, "NoReadyVersion")
    ready = await harness.http.get("/v2/models/iris/ready", headers=harness.bearer)
    assert ready.status_code == 503


async def test_a_large_request_or_response_is_served_uncached(serving: Harness, model: ScriptedModel) -> None:
    large = {"inputs": [[row, 0] for row in range(60_000)]}
    assert (await serving.predict(body=large)).headers["x-cache"] == "bypass"
    model.script = answering(http("200 OK", b'"' + b"x" * 2_000_000 + b'"'))
    states = [(await serving.predict()).headers["x-cache"] for _ in range(2)]
    assert states == ["miss", "miss"]


@pytest.mark.parametrize("name", ["limit_predict", "trusted_proxies"])
def test_a_setting_that_makes_no_sense_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(ValueError, match=r"much|MODELPORT"):
        Settings(**{name: "much"})


async def test_cached_predictions_of_kernels_are_dropped_when_the_model_itself_predicts(
    serving: Harness,
) -> None:
    states = []
    for engine in ("numpy", "numpy", "native"):
        changed = model_object("iris")
        changed["status"]["versions"][0]["engine"] = engine
        serving.cluster.put("MLModel", changed)
        await serving.settle()
        states.append((await serving.predict()).headers["x-cache"])
    assert states == ["miss", "hit", "miss"]
