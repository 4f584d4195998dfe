"""What a gateway promises whichever store it stands on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from modelport_store.fallback_store import FallbackStore
from modelport_store.memory_store import MemoryStore
from modelport_store.redis.store import RedisStore
from modelport_store.store import Store

from tests.support.gateway_harness import Harness, model_object, running_harness, slice_object
from tests.support.redis_fixtures import RedisServer
from tests.support.scripted_model import Received, ScriptedModel, answering, http

# Far above the default: these tests run on loaded machines.
TIMEOUT_SECONDS = 5


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    built: Store = MemoryStore()
    if request.param == "redis":
        built = RedisStore(request.getfixturevalue("redis_url"), timeout_seconds=TIMEOUT_SECONDS)
    yield built
    await built.aclose()


@pytest.fixture
async def harness(store: Store, model: ScriptedModel) -> AsyncIterator[Harness]:
    async with running_harness(store, limit_predict="1000/second") as running:
        running.serve("iris", model.address)
        await running.settle()
        model.script = counting_script()
        yield running


def counting_script() -> Any:
    """Answer each request with another body, so that a cached response differs from a new one."""
    count = 0

    async def script(request: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await answering(http("200 OK", b'{"prediction": %d}' % count))(request, writer)

    return script


async def cache_states(harness: Harness, *bodies: Any, path: str = "iris", **options: Any) -> list[str]:
    return [(await harness.predict(path, body, **options)).headers["x-cache"] for body in bodies]


async def test_an_equal_request_gets_the_same_bytes_without_the_model(
    harness: Harness, model: ScriptedModel
) -> None:
    first = await harness.predict(body={"input": {"a": 1, "b": 2}})
    second = await harness.predict(body={"input": {"b": 2.0, "a": 1.0}})
    third = await harness.predict(body={"input": [1, 2]})
    assert first.content == second.content == third.content
    assert [each.headers["x-cache"] for each in (first, second, third)] == ["miss", "hit", "hit"]
    assert second.headers["x-modelport-version"] == "v1"
    assert len(model.received) == 1


async def test_another_input_or_option_is_another_response(harness: Harness) -> None:
    bodies: list[Any] = [
        {"input": [1, 2]},
        {"input": [2, 1]},
        {"inputs": [[1, 2]]},
        {"input": [1, 2], "return": ["prediction", "probabilities"]},
        {"input": ["1", 2]},
        {"input": [True, 2]},
        {"input": [1, None]},
    ]
    assert await cache_states(harness, *bodies) == ["miss"] * len(bodies)
    assert await cache_states(harness, *bodies) == ["hit"] * len(bodies)


async def test_no_response_crosses_models_versions_artifacts_or_signatures(
    harness: Harness, model: ScriptedModel
) -> None:
    body = {"input": [1, 2]}
    harness.serve("iris", model.address, versions=("v1", "v2"))
    harness.serve("wine", model.address)
    await harness.settle()
    paths = ("iris/versions/v1", "iris/versions/v2", "wine")
    assert [await cache_states(harness, body, path=path) for path in paths] == [["miss"]] * 3
    other_file = model_object()
    other_file["spec"]["versions"][0]["artifact"]["sha256"] = "f" * 64
    other_signature = model_object(signature={"columns": None})
    other_model = model_object()
    other_model["metadata"]["uid"] = "a model of the same name, made again"
    for changed in (other_file, other_signature, other_model):
        harness.cluster.put("MLModel", changed)
        await harness.settle()
        assert await cache_states(harness, body, body) == ["miss", "hit"]


async def test_callers_share_responses_and_not_limits(harness: Harness, model: ScriptedModel) -> None:
    harness.serve("iris", model.address, access="public", rateLimit={"requests": 1, "periodSeconds": 3600})
    await harness.settle()
    assert (await harness.predict()).headers["x-cache"] == "miss"
    other = {"Authorization": f"Bearer {harness.control.token(sub='somebody-else')}"}
    assert (await harness.predict(headers=other)).headers["x-cache"] == "hit"
    refused = await harness.predict()
    assert refused.status_code == 429, "a cached response counts against the limit, too"


async def test_no_cache_skips_what_is_kept_and_no_store_keeps_nothing(harness: Harness) -> None:
    def cache_control(directive: str) -> dict[str, Any]:
        return {"headers": {**harness.bearer, "Cache-Control": directive}}

    body = {"input": [1, 2]}
    assert await cache_states(harness, body, **cache_control("no-store")) == ["bypass"]
    first = await harness.predict(body=body)
    assert first.headers["x-cache"] == "miss"
    again = await harness.predict(body=body, **cache_control("no-cache"))
    assert (again.headers["x-cache"], again.content == first.content) == ("miss", False)
    assert (await harness.predict(body=body)).content == again.content


async def test_no_store_skips_what_is_kept_too(harness: Harness) -> None:
    first = await harness.predict()
    again = await harness.predict(headers={**harness.bearer, "Cache-Control": "no-store"})
    assert (again.headers["x-cache"], again.content == first.content) == ("bypass", False)
    assert (await harness.predict()).content == first.content


async def test_a_model_without_cache_is_called_each_time(harness: Harness, model: ScriptedModel) -> None:
    harness.serve("iris", model.address, cache=None)
    await harness.settle()
    assert await cache_states(harness, {"input": [1, 2]}, {"input": [1, 2]}) == ["bypass", "bypass"]


async def test_an_error_is_never_kept(harness: Harness, model: ScriptedModel) -> None:
    good = model.script
    model.script = answering(http("500 Oops", b'{"reason": "ModelError"}', "application/problem+json"))
    assert (await harness.predict()).status_code == 500
    model.script = good
    assert (await harness.predict()).status_code == 200


async def test_a_hundred_identical_requests_are_one_call(harness: Harness, model: ScriptedModel) -> None:
    async def slowly(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await answering(http("200 OK", b"{}"))(request, writer)

    model.script = slowly
    responses = await asyncio.gather(*(harness.predict() for _ in range(100)))
    assert {response.status_code for response in responses} == {200}
    assert len(model.received) == 1


async def test_a_new_replica_knows_keys_while_the_control_api_is_away(
    harness: Harness, store: Store, model: ScriptedModel
) -> None:
    headers = {"X-API-Key": harness.control.issue_key()}
    assert (await harness.predict(headers=headers)).status_code == 200
    async with running_harness(store) as other:
        other.serve("iris", model.address)
        await other.settle()
        other.control.away = True
        assert (await other.predict(headers=headers)).status_code == 200
        unknown = await other.predict(headers={"X-API-Key": "mlp_live_" + "u" * 43})
        assert (unknown.status_code, "retry-after" in unknown.headers) == (503, True)


@pytest.mark.parametrize("with_fallback", [False, True])
async def test_predictions_go_on_while_redis_is_away(
    breakable_redis: RedisServer, model: ScriptedModel, with_fallback: bool
) -> None:
    redis = RedisStore(breakable_redis.url, timeout_seconds=0.5)
    store: Store = FallbackStore(redis, MemoryStore()) if with_fallback else redis
    async with running_harness(store, limit_predict="1000/second") as harness:
        harness.cluster.put("MLModel", model_object())
        harness.cluster.put("EndpointSlice", slice_object("iris", "v1", model.address))
        await harness.settle()
        assert (await harness.predict()).status_code == 200
        breakable_redis.stop()
        responses = [await harness.predict(body={"input": [row, 0]}) for row in range(3)]
        keyed = await harness.predict(headers={"X-API-Key": harness.control.issue_key()})
        assert [response.status_code for response in [*responses, keyed]] == [200] * 4
        counted = (await harness.http.get("/metrics")).text
    assert 'modelport_gateway_fallbacks_total{without="store"}' in counted or with_fallback
    await store.aclose()


async def test_callers_who_share_a_failed_call_get_their_own_limits(
    harness: Harness, model: ScriptedModel
) -> None:
    async def fail_slowly(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        await answering(http("500 Oops", b"{}", "application/problem+json"))(request, writer)

    limit = {"requests": 10, "periodSeconds": 86_400}
    harness.serve("iris", model.address, access="authenticated", rateLimit=limit)
    await harness.settle()
    other = {"Authorization": f"Bearer {harness.control.token(sub='somebody-else')}"}
    await harness.predict(body={"input": [8, 8]})
    model.script = fail_slowly
    received = len(model.received)
    mine, theirs = await asyncio.gather(harness.predict(), harness.predict(headers=other))
    assert len(model.received) == received + 1
    assert [response.status_code for response in (mine, theirs)] == [500, 500]
    assert ";r=8;" in mine.headers["ratelimit"]
    assert ";r=9;" in theirs.headers["ratelimit"]
