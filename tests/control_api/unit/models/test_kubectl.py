"""What kubectl does behind the API's back: models that it applies, edits and deletes."""

from typing import Any

import pytest

from tests.control_api.unit.models.fake_cluster import READY
from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at
from tests.support.waiting import until


def by_hand(name: str, namespace: str = "modelport-models", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "serving.modelport.dev/v1alpha1",
        "kind": "MLModel",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "generation": 1,
        },
        "spec": {
            "displayName": f"{name} by hand",
            "versions": [
                {"name": "v1", "framework": "onnx", "artifact": {"uri": "https://x/y", "sha256": "a" * 64}}
            ],
            "traffic": [{"version": "v1", "weight": 100}],
            **spec,
        },
        "status": {"traffic": [{"version": "v1", "weight": 100}], "versions": [{"name": "v1", **READY}]},
    }


@pytest.fixture
async def mine(platform: Platform, ann: Account, iris_bytes: bytes) -> str:
    """A model of ann's that serves."""
    model_id: str = (await ann.upload(iris_bytes)).json()["id"]
    await platform.serve(model_id, {"v1": 100})
    await platform.nothing_waits()
    platform.settle()
    return model_id


async def read(account: Account, model_id: str) -> dict[str, Any]:
    response = await account.http.get(f"/api/v1/models/{model_id}")
    assert response.status_code == 200, response.text
    model: dict[str, Any] = response.json()
    return model


async def test_what_the_api_made_is_in_sync(platform: Platform, ann: Account, mine: str) -> None:
    model = await read(ann, mine)
    assert (model["managed_by"], model["out_of_sync"], model["sync"]) == ("api", False, [])


async def test_an_edited_model_is_shown_as_it_is_with_what_differs(
    platform: Platform, ann: Account, mine: str
) -> None:
    spec = platform.cluster.objects[mine]["spec"]
    platform.cluster.edit(mine, {**spec, "access": "public", "timeoutSeconds": 7})
    await platform.heard(mine, lambda live: live.spec.access == "public")
    model = await read(ann, mine)
    assert (model["access"], model["timeout_seconds"], model["out_of_sync"]) == ("public", 7, True)
    assert model["sync"] == [
        {"field": "access", "in_cluster": "public", "in_api": "private"},
        {"field": "timeoutSeconds", "in_cluster": 7, "in_api": 30},
    ]
    # It serves, which is what its status is about.
    assert model["status"] == "ready"


async def test_acceleration_that_kubectl_switched_off_is_shown_and_undone_by_a_redeploy(
    platform: Platform, ann: Account, mine: str
) -> None:
    spec = platform.cluster.objects[mine]["spec"]
    platform.cluster.edit(mine, {**spec, "acceleration": "off"})
    await platform.heard(mine, lambda live: live.spec.acceleration == "off")
    model = await read(ann, mine)
    assert model["acceleration"] == "off"
    assert model["sync"] == [{"field": "acceleration", "in_cluster": "off", "in_api": "auto"}]
    assert (await ann.http.post(f"/api/v1/models/{mine}/redeploy")).status_code == 202
    await until(lambda: platform.cluster.objects[mine]["spec"]["acceleration"] == "auto")


async def test_stickiness_that_kubectl_set_is_shown_and_undone_by_a_redeploy(
    platform: Platform, ann: Account, mine: str
) -> None:
    spec = platform.cluster.objects[mine]["spec"]
    platform.cluster.edit(mine, {**spec, "sticky": "caller"})
    await platform.heard(mine, lambda live: live.spec.sticky == "caller")
    model = await read(ann, mine)
    assert model["sticky"] == "caller"
    assert model["sync"] == [{"field": "sticky", "in_cluster": "caller", "in_api": None}]
    assert (await ann.http.post(f"/api/v1/models/{mine}/redeploy")).status_code == 202
    await until(lambda: "sticky" not in platform.cluster.objects[mine]["spec"])


async def test_stickiness_that_kubectl_took_away_comes_back_with_the_next_change(
    platform: Platform, ann: Account, mine: str
) -> None:
    await ann.http.patch(f"/api/v1/models/{mine}", json={"sticky": "session"})
    await platform.nothing_waits()
    await platform.heard(mine, lambda live: live.spec.sticky == "session")
    platform.settle()
    spec = {name: value for name, value in platform.cluster.objects[mine]["spec"].items() if name != "sticky"}
    platform.cluster.edit(mine, spec)
    await platform.heard(mine, lambda live: live.spec.sticky is None)
    assert (await read(ann, mine))["sync"] == [{"field": "sticky", "in_cluster": None, "in_api": "session"}]
    await ann.http.patch(f"/api/v1/models/{mine}", json={"timeout_seconds": 9})
    await until(lambda: platform.cluster.objects[mine]["spec"].get("sticky") == "session")


async def test_an_mlmodel_of_an_earlier_release_which_does_not_name_it_is_in_sync(
    platform: Platform, ann: Account, mine: str
) -> None:
    spec = {
        key: value for key, value in platform.cluster.objects[mine]["spec"].items() if key != "acceleration"
    }
    platform.cluster.edit(mine, {**spec, "scaling": {"minReplicas": 2, "maxReplicas": 2}})
    await platform.heard(mine, lambda live: live.spec.scaling.min_replicas == 2)
    model = await read(ann, mine)
    assert (model["acceleration"], model["out_of_sync"]) == ("auto", False)


async def test_what_the_api_has_no_say_in_is_in_sync(platform: Platform, ann: Account, mine: str) -> None:
    spec = platform.cluster.objects[mine]["spec"]
    platform.cluster.edit(mine, {**spec, "scaling": {"minReplicas": 3, "maxReplicas": 5}})
    await platform.heard(mine, lambda live: live.spec.scaling.min_replicas == 3)
    assert not (await read(ann, mine))["out_of_sync"]


async def test_an_edit_stays_until_the_next_change_through_the_api(
    platform: Platform, ann: Account, mine: str
) -> None:
    spec = platform.cluster.objects[mine]["spec"]
    platform.cluster.edit(mine, {**spec, "access": "public"})
    applies = len(platform.cluster.applies)
    await platform.plane.models.publisher.publish_due()
    assert len(platform.cluster.applies) == applies
    assert (await ann.http.patch(f"/api/v1/models/{mine}", json={"timeout_seconds": 9})).status_code == 200
    await until(lambda: platform.cluster.objects[mine]["spec"]["access"] == "private")
    assert platform.cluster.objects[mine]["spec"]["timeoutSeconds"] == 9


async def test_what_an_apply_leaves_to_others_is_taken_back(
    platform: Platform, ann: Account, mine: str
) -> None:
    platform.cluster.left_to_others = {"rateLimit": {"requests": 1}}
    assert (await ann.http.post(f"/api/v1/models/{mine}/redeploy")).status_code == 202
    await until(lambda: bool(platform.cluster.merges))
    assert platform.cluster.merges[0]["spec"]["rateLimit"] is None
    assert "rateLimit" not in platform.cluster.objects[mine]["spec"]


async def test_what_is_not_valid_together_with_what_others_wrote_replaces_that(
    platform: Platform, ann: Account, mine: str
) -> None:
    platform.cluster.refuses_applies = True
    assert (await ann.http.patch(f"/api/v1/models/{mine}", json={"access": "public"})).status_code == 200
    await until(lambda: platform.cluster.objects[mine]["spec"]["access"] == "public")
    await until(lambda: platform.plane.models.publisher.refusal(mine) is None)


async def test_a_version_that_kubectl_added_is_shown_and_goes_with_a_redeploy(
    platform: Platform, ann: Account, mine: str
) -> None:
    spec = platform.cluster.objects[mine]["spec"]
    added = by_hand("x")["spec"]["versions"][0] | {"name": "v9"}
    platform.cluster.edit(mine, {**spec, "versions": [*spec["versions"], added]})
    await platform.heard(mine, lambda live: live.spec.version("v9") is not None)
    model = await read(ann, mine)
    assert [version["name"] for version in model["versions"]] == ["v1", "v9"]
    assert model["sync"][0]["field"] == "versions.v9"
    assert (await ann.http.get(f"/api/v1/models/{mine}/versions/v9")).json()["size"] is None
    assert (await ann.http.post(f"/api/v1/models/{mine}/redeploy")).status_code == 202
    await platform.heard(mine, lambda live: live.spec.version("v9") is None)


async def test_a_deleted_model_says_so_until_it_is_redeployed(
    platform: Platform, ann: Account, mine: str
) -> None:
    await platform.cluster.delete("MLModel", "modelport-models", mine)
    await platform.heard(mine, lambda live: live is None)
    gone = await read(ann, mine)
    assert (gone["status"], gone["reason"]) == ("failed", "NotDeployed")
    assert f"POST /api/v1/models/{mine}/redeploy" in gone["message"]
    version = (await ann.http.get(f"/api/v1/models/{mine}/versions/v1?wait=5")).json()
    assert (version["status"], version["reason"]) == ("failed", "NotDeployed")
    again = await ann.http.post(f"/api/v1/models/{mine}/redeploy")
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    await platform.published(mine, "v1")


async def test_a_change_that_is_not_published_yet_is_in_sync(
    platform: Platform, ann: Account, mine: str
) -> None:
    platform.cluster.fail_applies = 10_000
    await ann.http.patch(f"/api/v1/models/{mine}", json={"access": "public"})
    platform.settle()
    model = await read(ann, mine)
    assert (model["access"], model["out_of_sync"]) == ("public", False)


async def test_without_a_live_watch_nothing_is_called_deleted(
    platform: Platform, ann: Account, mine: str
) -> None:
    await platform.cluster.delete("MLModel", "modelport-models", mine)
    await platform.heard(mine, lambda live: live is None)
    platform.plane.models.statuses._reflector._live_since = None
    assert (await read(ann, mine))["status"] == "pending"


async def test_a_model_that_the_cluster_refuses_says_why(platform: Platform, ann: Account, mine: str) -> None:
    platform.cluster.refuses = "an existing version's artifact cannot change"
    await ann.http.patch(f"/api/v1/models/{mine}", json={"access": "public"})
    await until(lambda: platform.plane.models.publisher.refusal(mine) is not None)
    model = await read(ann, mine)
    assert (model["status"], model["reason"]) == ("degraded", "NotDeployed")
    assert "artifact cannot change" in model["message"]
    platform.cluster.refuses = None
    await until(lambda: platform.plane.models.publisher.refusal(mine) is None)
    assert (await read(ann, mine))["reason"] == "Serving"


async def test_models_of_kubectl_are_for_admins_to_see(platform: Platform, ann: Account) -> None:
    admin = await platform.admin()
    platform.cluster.put(by_hand("wine"))
    await platform.heard("wine", lambda live: live is not None)
    model = await read(admin, "wine")
    assert (model["managed_by"], model["name"], model["owner_id"]) == ("kubectl", "wine by hand", None)
    assert (model["status"], model["traffic"], model["out_of_sync"]) == ("ready", {"v1": 100}, False)
    assert model["created_at"] == "2026-01-02T03:04:05Z"
    assert [each["id"] for each in (await admin.http.get("/api/v1/models")).json()["items"]] == ["wine"]
    assert (await admin.http.get("/api/v1/models/wine/versions/v1")).json()["status"] == "ready"
    platform.cluster.pods["wine-v1-x"] = (
        {"serving.modelport.dev/model": "wine", "serving.modelport.dev/version": "v1"},
        "hello",
    )
    assert (await admin.http.get("/api/v1/models/wine/versions/v1/logs")).text == "hello"


CALLS = [
    ("GET", "", None, 200),
    ("GET", "/versions/v1", None, 200),
    ("GET", "/versions/v1/logs", None, 200),
    ("PATCH", "", {"access": "public"}, 409),
    ("DELETE", "", None, 409),
    ("PUT", "/traffic", {"v1": 100}, 409),
    ("POST", "/rollback", None, 409),
    ("POST", "/redeploy", None, 409),
    ("DELETE", "/versions/v1", None, 409),
    ("POST", "/versions", None, 409),
]


async def test_only_admins_see_them_and_nobody_changes_them(platform: Platform, ann: Account) -> None:
    admin = await platform.admin()
    platform.cluster.put(by_hand("wine"))
    await platform.heard("wine", lambda live: live is not None)
    scopes = ["models:read", "models:write"]
    asked = {"name": "k", "model_ids": ["x"], "scopes": scopes}
    key = (await admin.http.post("/api/v1/api-keys", json=asked)).json()["key"]
    restricted = platform.client(**{"X-API-Key": key})
    for method, path, body, status in CALLS:
        responses = [
            await http.request(method, f"/api/v1/models/wine{path}", json=body)
            for http in (admin.http, ann.http, restricted)
        ]
        assert [response.status_code for response in responses] == [status, 404, 404], (method, path)
        if status == 409:
            assert "kubectl -n modelport-models edit mlmodel wine" in responses[0].json()["detail"]
    assert (await ann.http.get("/api/v1/models")).json()["items"] == []
    assert (await restricted.get("/api/v1/models")).json()["items"] == []
    assert platform.cluster.applies == []


async def test_a_list_of_both_kinds_goes_page_by_page_newest_first(
    platform: Platform, iris_bytes: bytes
) -> None:
    admin = await platform.admin()
    ids = [(await admin.upload(iris_bytes)).json()["id"] for _ in range(3)]
    for name in ("b", "a", "c"):
        platform.cluster.put(by_hand(name))
    await platform.heard("c", lambda live: live is not None)
    seen, cursor = [], ""
    while True:
        page = (await admin.http.get(f"/api/v1/models?limit=2{cursor}")).json()
        seen += [model["id"] for model in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [*reversed(ids), "c", "b", "a"]


async def test_newer_ones_that_are_called_so_hide_no_model_of_an_admins_own(
    platform: Platform, iris_bytes: bytes
) -> None:
    admin = await platform.admin()
    for name in ("a", "b", "c", "d", "e"):
        model = by_hand(name, displayName="Iris")
        newer = {**model["metadata"], "creationTimestamp": "2999-01-02T03:04:05Z"}
        platform.cluster.put({**model, "metadata": newer})
    await platform.heard("e", lambda live: live is not None)
    first = (await admin.upload(iris_bytes, "Iris")).json()
    assert first["same_name"] == []
    again = (await admin.upload(iris_bytes, "Iris")).json()
    assert [each["id"] for each in again["same_name"]] == [first["id"]]


async def test_a_model_that_is_being_deleted_is_not_taken_for_one_of_kubectl(
    platform: Platform, iris_bytes: bytes
) -> None:
    admin = await platform.admin()
    model_id = (await admin.upload(iris_bytes)).json()["id"]
    await platform.published(model_id, "v1")
    platform.cluster.fail_applies = 10_000
    assert (await admin.http.delete(f"/api/v1/models/{model_id}")).status_code == 204
    assert (await admin.http.get(f"/api/v1/models/{model_id}")).status_code == 404
    assert (await admin.http.get("/api/v1/models")).json()["items"] == []


async def test_models_of_other_namespaces_have_the_namespace_in_their_id(
    tmp_path: Any, sqlite_url: str
) -> None:
    settings = settings_at(tmp_path, sqlite_url, watch_all_namespaces=True)
    async with running_platform(settings, tmp_path) as platform:
        admin = await platform.admin()
        platform.cluster.put(by_hand("wine", "team-a"))
        await platform.heard("team-a.wine", lambda live: live is not None)
        assert (await read(admin, "team-a.wine"))["predict_url"].endswith("/predict/team-a.wine")
        logs = await admin.http.get("/api/v1/models/team-a.wine/versions/v1/logs")
        assert (logs.status_code, "kubectl -n team-a logs" in logs.json()["detail"]) == (409, True)


async def test_a_file_that_a_model_of_kubectl_names_is_kept(
    platform: Platform, ann: Account, mine: str
) -> None:
    (digest,) = platform.stored()
    artifact = {"uri": f"artifact:{digest}", "sha256": digest}
    versions = [{"name": "v1", "framework": "sklearn", "artifact": artifact}]
    platform.cluster.put(by_hand("copy", versions=versions))
    await platform.heard("copy", lambda live: live is not None)
    assert (await ann.http.delete(f"/api/v1/models/{mine}")).status_code == 204
    assert platform.stored() == [digest]
    await platform.cluster.delete("MLModel", "modelport-models", "copy")
    await platform.heard("copy", lambda live: live is None)
    await platform.plane.models.keeper.collect_garbage()
    assert platform.stored() == []
