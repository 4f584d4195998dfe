"""A model's life on SQLite and on PostgreSQL: the same answers, also to many at once."""

import asyncio
import pickle
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.control_api.unit.models.fake_cluster import READY
from tests.control_api.unit.models.platform import Platform, running_platform, settings_at, until


@pytest.fixture(scope="module")
def model_bytes() -> bytes:
    features, target = load_iris(return_X_y=True)
    return pickle.dumps(LogisticRegression(max_iter=500).fit(features, target))


@pytest.fixture
async def platform(database_url: str, tmp_path: Path) -> AsyncIterator[Platform]:
    settings = settings_at(tmp_path, database_url, artifact_grace_seconds=0)
    async with running_platform(settings, tmp_path) as running:
        yield running


async def test_from_upload_to_delete(platform: Platform, model_bytes: bytes) -> None:
    ann = await platform.account("ann")
    model_id = (await ann.upload(model_bytes, sample="[5.1, 3.5, 1.4, 0.2]")).json()["id"]
    url = f"/api/v1/models/{model_id}"
    await platform.serve(model_id, {"v1": 100})
    await ann.upload_version(model_id, model_bytes, traffic="0")
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=READY)
    moved = await ann.http.put(f"{url}/traffic", json={"v1": 90, "v2": 10})
    assert moved.json()["wanted_traffic"] == {"v1": 90, "v2": 10}
    back = await ann.http.post(f"{url}/rollback")
    assert back.json()["wanted_traffic"] == {"v1": 100}
    assert (await ann.http.delete(f"{url}/versions/v2")).status_code == 204
    assert (await ann.http.delete(url)).status_code == 204
    await until(lambda: model_id not in platform.cluster.objects)
    assert platform.stored() == []


async def test_what_a_version_is_compared_with_is_kept_and_goes_with_force(
    platform: Platform, model_bytes: bytes
) -> None:
    ann = await platform.account("ann")
    model_id = (await ann.upload(model_bytes)).json()["id"]
    await platform.serve(model_id, {"v1": 100})
    await ann.upload_version(model_id, model_bytes, traffic="10")
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=READY)

    def traffic() -> list[dict[str, object]]:
        found: list[dict[str, object]] = platform.cluster.objects[model_id]["spec"]["traffic"]
        return found

    share = {"version": "v2", "weight": 10}
    assert traffic() == [{"version": "v1", "weight": 90}, {**share, "compatibleWith": "v1"}]
    url = f"/api/v1/models/{model_id}/traffic"
    assert (await ann.http.put(f"{url}?force=true", json={"v1": 90, "v2": 10})).status_code == 200
    await until(lambda: traffic()[1] == share)


async def test_pages_hold_while_models_come(platform: Platform, model_bytes: bytes) -> None:
    ann = await platform.account("ann")
    made = [(await ann.upload(model_bytes, name=f"m{i}")).json()["id"] for i in range(3)]
    first = (await ann.http.get("/api/v1/models?limit=2")).json()
    await ann.upload(model_bytes, name="late")
    second = (await ann.http.get(f"/api/v1/models?limit=2&cursor={first['next_cursor']}")).json()
    assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]


async def test_a_list_of_some_tags_has_the_models_with_all_of_them(
    platform: Platform, model_bytes: bytes
) -> None:
    ann = await platform.account("ann")
    tags: dict[str, list[str]] = {
        "a": ["eu", "prod"],
        "b": ["eu"],
        "c": ["production", "50%", "größe"],
        "d": [],
    }
    ids = {name: (await ann.upload(model_bytes, name=name)).json()["id"] for name in tags}
    for name, wanted in tags.items():
        await ann.http.patch(f"/api/v1/models/{ids[name]}", json={"tags": wanted})
    # What only begins alike is another tag, and a percent sign no pattern.
    asked = {
        "tag=eu": ["b", "a"],
        "tag=eu&tag=prod": ["a"],
        "tag=PROD": ["a"],
        "tag=50%25": ["c"],
        "tag=5%25": [],
        "tag=gr%C3%B6%C3%9Fe": ["c"],
        "tag=nobody": [],
        "": ["d", "c", "b", "a"],
    }
    for query, names in asked.items():
        page = (await ann.http.get(f"/api/v1/models?{query}")).json()
        assert [item["name"] for item in page["items"]] == names, query
    first = (await ann.http.get("/api/v1/models?tag=eu&limit=1")).json()
    rest = (await ann.http.get(f"/api/v1/models?tag=eu&cursor={first['next_cursor']}")).json()
    assert [item["name"] for item in first["items"] + rest["items"]] == ["b", "a"]
    refused = await ann.http.get("/api/v1/models?tag=a,b")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "tag[0]")
    bob = await platform.account("bob")
    assert (await bob.http.get("/api/v1/models?tag=eu")).json()["items"] == []


async def test_versions_uploaded_at_once_get_different_names(platform: Platform, model_bytes: bytes) -> None:
    ann = await platform.account("ann")
    model_id = (await ann.upload(model_bytes)).json()["id"]
    responses = await asyncio.gather(*(ann.upload_version(model_id, model_bytes) for _ in range(6)))
    assert sorted(response.json()["name"] for response in responses) == ["v2", "v3", "v4", "v5", "v6", "v7"]


@pytest.mark.parametrize("model_id", ["%00", "a%00b", "%F0%9F%98%80", "x" * 300, "A'--"])
async def test_an_id_that_can_be_none_is_not_found(platform: Platform, model_id: str) -> None:
    ann = await platform.account("ann")
    assert (await ann.http.get(f"/api/v1/models/{model_id}")).status_code == 404


async def test_a_rollout_from_its_start_to_its_end(platform: Platform, model_bytes: bytes) -> None:
    ann = await platform.account("ann")
    model_id = (await ann.upload(model_bytes)).json()["id"]
    url = f"/api/v1/models/{model_id}"
    await platform.serve(model_id, {"v1": 100})
    assert (await ann.upload_version(model_id, model_bytes, rollout="guarded")).status_code == 202
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=READY)
    starts = [ann.http.post(f"{url}/rollouts", json={"version": "v2"}) for _ in range(4)]
    assert {answer.status_code for answer in await asyncio.gather(*starts)} == {409}
    await until(lambda: "rollout" in platform.cluster.objects[model_id]["spec"])
    finding = {"guardrail": "disagreement", "state": "within", "estimate": "0"}
    platform.cluster.set_rollout(
        model_id, id=1, version="v2", state="Promoted", verdict="Fine.", findings=[finding]
    )
    await until(lambda: "rollout" not in platform.cluster.objects[model_id]["spec"])
    rollout = (await ann.http.get(f"{url}/rollouts/1")).json()
    assert (rollout["state"], rollout["verdict"], rollout["findings"][0]["estimate"]) == (
        "promoted",
        "Fine.",
        0,
    )
    assert (await ann.http.get(url)).json()["wanted_traffic"] == {"v2": 100}
    assert (await ann.http.delete(url)).status_code == 204


async def test_of_rollouts_that_are_started_at_once_one_begins(
    platform: Platform, model_bytes: bytes
) -> None:
    ann = await platform.account("ann")
    model_id = (await ann.upload(model_bytes)).json()["id"]
    await platform.serve(model_id, {"v1": 100})
    await ann.upload_version(model_id, model_bytes, traffic="0")
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=READY)
    url = f"/api/v1/models/{model_id}/rollouts"
    starts = [ann.http.post(url, json={"version": "v2"}) for _ in range(6)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*starts))
    assert statuses == [201, 409, 409, 409, 409, 409]
