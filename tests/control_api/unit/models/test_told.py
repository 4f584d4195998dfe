"""What becomes of models and rollouts is told once, whoever sees it and however often it starts anew."""

from datetime import timedelta
from typing import Any

import pytest
from modelport_control_api.alerting.states import ModelStates
from modelport_control_api.alerting.tables import UNTOLD, ModelStateRow
from modelport_control_api.db.base import utc_now
from modelport_control_api.registry.tables import ModelRow

from tests.control_api.unit.models.fake_cluster import DOWN, FAILED, READY, STARTING
from tests.control_api.unit.models.platform import Account, Platform
from tests.control_api.unit.models.test_rollouts import published, reported, start

Json = dict[str, Any]


async def told(account: Account, prefix: str = "model.") -> list[Json]:
    """The oldest first."""
    page = (await account.http.get("/api/v1/events")).raise_for_status().json()
    return [event for event in page["items"][::-1] if event["type"].startswith(prefix)]


async def look(platform: Platform) -> None:
    """As another replica that has just started."""
    platform.settle()
    await ModelStates(platform.plane.models).look()


def types(events: list[Json]) -> list[str]:
    return [event["type"] for event in events]


@pytest.fixture
async def model_id(platform: Platform, ann: Account, iris_bytes: bytes) -> str:
    made: str = (await ann.upload(iris_bytes)).json()["id"]
    await platform.published(made, "v1")
    return made


async def test_a_model_that_gets_ready_is_told_once(platform: Platform, ann: Account, model_id: str) -> None:
    await platform.serve(model_id, {}, v1=STARTING)
    await look(platform)
    assert await told(ann) == []
    await platform.serve(model_id, {"v1": 100})
    for _ in range(3):
        await look(platform)
    (event,) = await told(ann)
    assert event["type"] == "model.ready"
    assert event["data"]["summary"] == "v1 serves."
    known = {
        "model_id": model_id,
        "model_name": "Iris",
        "version": "v1",
        "status": "ready",
        "reason": "Serving",
    }
    assert event["data"].items() >= known.items()


async def test_down_and_up_again_are_two_more_and_a_new_version_is_one(
    platform: Platform, ann: Account, model_id: str, iris_bytes: bytes
) -> None:
    await platform.serve(model_id, {"v1": 100})
    await look(platform)
    await platform.serve(model_id, {"v1": 100}, v1=DOWN)
    await look(platform)
    down = (await told(ann))[-1]
    assert (down["type"], down["data"]["version"], down["data"]["reason"]) == (
        "model.degraded", "v1", "RuntimeCrashed"
    )  # fmt: skip
    await platform.serve(model_id, {"v1": 100})
    await look(platform)
    await ann.upload_version(model_id, iris_bytes)
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=STARTING)
    await look(platform)
    assert types(await told(ann)) == ["model.ready", "model.degraded", "model.ready"]
    await platform.serve(model_id, {"v2": 100}, v1=READY, v2=READY)
    await look(platform)
    await look(platform)
    assert [(event["type"], event["data"]["version"]) for event in await told(ann)][3:] == [
        ("model.ready", "v2")
    ]


async def test_a_model_that_crashes_again_and_again_is_told_once(
    platform: Platform, ann: Account, model_id: str
) -> None:
    async def is_sound_for(minutes: int) -> None:
        since = (utc_now() - timedelta(minutes=minutes)).isoformat()
        await platform.serve(model_id, {"v1": 100})
        platform.cluster.set_condition(
            model_id, type="Degraded", status="False", reason="Serving", lastTransitionTime=since
        )
        await platform.heard(model_id, lambda live: live is not None and bool(live.status.conditions))
        await look(platform)

    await is_sound_for(0)
    for _ in range(3):
        await platform.serve(model_id, {"v1": 100}, v1=DOWN)
        await look(platform)
        await is_sound_for(0)
    assert types(await told(ann)) == ["model.ready", "model.degraded"]
    await is_sound_for(6)
    assert types(await told(ann)) == ["model.ready", "model.degraded", "model.ready"]


async def test_a_failed_model_names_the_version_and_why(
    platform: Platform, ann: Account, model_id: str, iris_bytes: bytes
) -> None:
    await platform.serve(model_id, {}, v1=FAILED)
    await look(platform)
    (event,) = await told(ann)
    assert event["type"] == "model.failed"
    assert event["data"]["summary"] == "v1 failed: ValueError: no."
    # Another version that fails too is news.
    await ann.upload_version(model_id, iris_bytes)
    await platform.serve(model_id, {}, v1=FAILED, v2=FAILED)
    await look(platform)
    assert [event["data"]["version"] for event in await told(ann)] == ["v1", "v2"]


async def test_a_model_that_is_deleted_from_the_cluster_is_told_as_failed(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await platform.serve(model_id, {"v1": 100})
    await look(platform)
    await platform.cluster.delete("MLModel", "", model_id)
    await platform.heard(model_id, lambda live: live is None)
    await look(platform)
    assert types(await told(ann)) == ["model.ready", "model.failed"]


async def test_models_of_before_are_no_news(platform: Platform, ann: Account, model_id: str) -> None:
    with platform.plane.context.database.transaction() as session:
        session.merge(ModelStateRow(model_id=model_id, status=UNTOLD, version="", changes=0))
    await platform.serve(model_id, {"v1": 100})
    await look(platform)
    assert await told(ann) == []
    await platform.serve(model_id, {"v1": 100}, v1=DOWN)
    await look(platform)
    assert types(await told(ann)) == ["model.degraded"]


async def test_a_rollout_is_told_when_it_begins_and_as_its_verdict_has_it(
    platform: Platform, ann: Account, model_id: str, iris_bytes: bytes
) -> None:
    await platform.serve(model_id, {"v1": 100})
    await ann.upload_version(model_id, iris_bytes, traffic="0")
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=READY)
    await start(ann, model_id)
    await published(platform, model_id, lambda spec: "rollout" in spec)
    verdict = "v2 answers 6.1 % of rows otherwise than v1 (1 % tolerated); v1 serves on."
    await reported(platform, model_id, state="RolledBack", verdict=verdict)
    await platform.nothing_waits()
    await published(platform, model_id, lambda spec: "rollout" not in spec)
    began, ended = await told(ann, "rollout.")
    assert (began["type"], began["data"]["rollout"]) == ("rollout.started", 1)
    assert began["data"]["summary"] == "A rollout of v2 began; it is compared with v1."
    assert (ended["type"], ended["data"]["summary"]) == ("rollout.rolled_back", verdict)
    assert ended["data"]["traffic"] == {"v1": 100}


async def test_a_model_that_changes_hands_takes_what_was_told_of_it_along(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await platform.serve(model_id, {"v1": 100})
    await look(platform)
    bob, admin = await platform.account("bob"), await platform.admin()
    users = (await admin.http.get("/api/v1/admin/users?email=ann@example.com")).json()["items"]
    moved = await admin.http.post(
        f"/api/v1/admin/users/{users[0]['id']}/transfer", json={"to": "bob@example.com"}
    )
    assert moved.json()["models"] == [model_id]
    assert await told(ann) == []
    assert types(await told(bob)) == ["model.ready"]
    with platform.plane.context.database.transaction(read_only=True) as session:
        assert session.get(ModelRow, model_id) is not None
