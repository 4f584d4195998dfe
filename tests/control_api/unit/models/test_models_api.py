"""Reading, changing, shifting traffic between and deleting models, through the API."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from modelport_control_api.accounts.tables import ApiKey, AuditEntry
from modelport_control_api.db.base import utc_now
from sqlalchemy import select

from tests.control_api.unit.models.fake_cluster import DOWN, FAILED, READY, STARTING
from tests.control_api.unit.models.platform import Account, Platform
from tests.support.waiting import until


@pytest.fixture
async def model_id(ann: Account, iris_bytes: bytes) -> str:
    return str((await ann.upload(iris_bytes)).json()["id"])


@pytest.fixture
async def two_versions(platform: Platform, ann: Account, model_id: str, iris_bytes: bytes) -> str:
    """v1 serves; v2 is ready and gets nothing."""
    await platform.serve(model_id, {"v1": 100})
    assert (await ann.upload_version(model_id, iris_bytes, traffic="0")).status_code == 202
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=READY)
    return model_id


def url(model_id: str, rest: str = "") -> str:
    return f"/api/v1/models/{model_id}{rest}"


async def test_wait_holds_until_the_model_is_ready(platform: Platform, ann: Account, model_id: str) -> None:
    await platform.published(model_id, "v1")
    waiting = asyncio.create_task(ann.http.get(url(model_id, "?wait=30")))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await platform.serve(model_id, {"v1": 100}, v1={**READY, "signature": {"task": "classifier"}})
    model = (await waiting).json()
    assert (model["status"], model["reason"], model["traffic"]) == ("ready", "Serving", {"v1": 100})
    assert model["signature"] == {"task": "classifier"}


async def test_wait_ends_with_a_failure_and_its_reason(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await platform.serve(model_id, {}, v1=FAILED)
    model = (await ann.http.get(url(model_id, "?wait=30"))).json()
    assert (model["status"], model["reason"]) == ("failed", "LoadFailed")
    assert "ValueError: no." in model["message"]


async def test_wait_ends_with_its_time(ann: Account, model_id: str) -> None:
    assert (await ann.http.get(url(model_id, "?wait=0.05"))).json()["status"] == "pending"
    assert (await ann.http.get(url(model_id, "?wait=61"))).status_code == 422


async def test_a_failed_new_version_leaves_the_old_one_serving_and_says_so(
    platform: Platform, ann: Account, model_id: str, iris_bytes: bytes
) -> None:
    await platform.serve(model_id, {"v1": 100})
    version = (await ann.upload_version(model_id, iris_bytes)).json()
    assert (version["name"], version["status"]) == ("v2", "pending")
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=FAILED)
    model = (await ann.http.get(url(model_id))).json()
    assert (model["status"], model["reason"], model["traffic"]) == ("degraded", "LoadFailed", {"v1": 100})
    assert "v1 goes on serving" in model["message"]
    assert model["wanted_traffic"] == {"v2": 100}
    assert (await ann.http.delete(url(model_id, "/versions/v2"))).status_code == 204
    after = (await ann.http.get(url(model_id))).json()
    assert (after["status"], after["wanted_traffic"]) == ("ready", {"v1": 100})


async def test_a_version_name_is_never_used_again(ann: Account, two_versions: str, iris_bytes: bytes) -> None:
    assert (await ann.http.delete(url(two_versions, "/versions/v2"))).status_code == 204
    assert (await ann.upload_version(two_versions, iris_bytes)).json()["name"] == "v3"


async def test_traffic_reaches_the_cluster_and_rollback_swaps_it_back_and_forth(
    platform: Platform, ann: Account, two_versions: str
) -> None:
    changed = await ann.http.put(url(two_versions, "/traffic"), json={"v1": 90, "v2": 10})
    assert (changed.status_code, changed.json()["wanted_traffic"]) == (200, {"v1": 90, "v2": 10})
    back = await ann.http.post(url(two_versions, "/rollback"))
    assert back.json()["wanted_traffic"] == {"v1": 100}
    again = await ann.http.post(url(two_versions, "/rollback"))
    assert again.json()["wanted_traffic"] == {"v1": 90, "v2": 10}


async def test_rollback_of_what_never_changed_is_a_conflict(ann: Account, model_id: str) -> None:
    assert (await ann.http.post(url(model_id, "/rollback"))).status_code == 409


@pytest.mark.parametrize(
    ("weights", "field"),
    [
        ({"v1": 90, "v2": 5}, "body"),
        ({"v1": 90, "v9": 10}, "v9"),
        ({"v1": 150, "v2": -50}, "v1"),
        ({"v1": "100"}, "v1"),
        ({"v1": 99.5, "v2": 0.5}, "v1"),
        ({}, "body"),
    ],
)
async def test_bad_traffic_is_refused_naming_the_version(
    ann: Account, two_versions: str, weights: dict[str, object], field: str
) -> None:
    response = await ann.http.put(url(two_versions, "/traffic"), json=weights)
    assert response.status_code == 422
    assert field in [error["field"] for error in response.json()["errors"]]


async def test_traffic_to_a_version_that_is_not_ready_is_a_conflict_naming_it(
    platform: Platform, ann: Account, two_versions: str
) -> None:
    for facts in (STARTING, FAILED, DOWN):
        platform.cluster.set_status(two_versions, traffic={"v1": 100}, v1=READY, v2=facts)
        await asyncio.sleep(0.02)
        response = await ann.http.put(url(two_versions, "/traffic"), json={"v1": 90, "v2": 10})
        assert (response.status_code, response.json()["detail"].startswith("v2 is")) == (409, True)


async def test_a_serving_version_and_an_only_version_cannot_be_deleted(
    ann: Account, two_versions: str, iris_bytes: bytes
) -> None:
    assert (await ann.http.delete(url(two_versions, "/versions/v1"))).status_code == 409
    only = (await ann.upload(iris_bytes)).json()["id"]
    assert (await ann.http.delete(url(only, "/versions/v1"))).status_code == 409
    assert (await ann.http.delete(url(two_versions, "/versions/v7"))).status_code == 404


async def test_a_version_reports_what_the_runtime_found(
    platform: Platform, ann: Account, model_id: str
) -> None:
    facts = {
        **READY,
        "libraries": {"found": {"scikit-learn": "1.9"}},
        "sandbox": {"level": 2},
        "sampleAnswer": {"body": '{"prediction": 1}', "sha256": "0" * 64},
    }
    await platform.serve(model_id, {"v1": 100}, v1=facts)
    version = (await ann.http.get(url(model_id, "/versions/v1?wait=5"))).json()
    assert (version["status"], version["traffic"], version["sandbox"]) == ("ready", 100, {"level": 2})
    assert version["sample_answer"] == {"prediction": 1}
    assert version["libraries"]["found"] == {"scikit-learn": "1.9"}


async def test_logs_are_text_cut_to_their_tail(platform: Platform, ann: Account, model_id: str) -> None:
    labels = {"serving.modelport.dev/model": model_id, "serving.modelport.dev/version": "v1"}
    platform.cluster.pods = {
        "one": (labels, "a\nb\nc"),
        "other": ({**labels, "serving.modelport.dev/version": "v2"}, "not this"),
    }
    response = await ann.http.get(url(model_id, "/versions/v1/logs?tail=2"))
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text == "b\nc"
    assert (await ann.http.get(url(model_id, "/versions/v2/logs"))).status_code == 404


async def test_the_log_that_the_operator_kept_is_given_where_no_pod_has_one(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await platform.serve(model_id, {}, v1={**FAILED, "lastLog": "a\nb\nValueError: no"})
    path = url(model_id, "/versions/v1/logs")
    assert (await ann.http.get(path)).text == "a\nb\nValueError: no"
    assert (await ann.http.get(f"{path}?tail=2")).text == "b\nValueError: no"
    labels = {"serving.modelport.dev/model": model_id, "serving.modelport.dev/version": "v1"}
    platform.cluster.pods = {"one": (labels, ""), "two": (labels, "")}
    assert (await ann.http.get(path)).text == "a\nb\nValueError: no"
    platform.cluster.pods["two"] = (labels, "now")
    assert (await ann.http.get(path)).text == "==> one <==\n\n==> two <==\nnow"


async def test_a_version_without_any_log_has_an_empty_one(
    platform: Platform, ann: Account, model_id: str
) -> None:
    path = url(model_id, "/versions/v1/logs")
    assert (await ann.http.get(path)).text == ""
    await platform.serve(model_id, {}, v1=FAILED)
    response = await ann.http.get(path)
    assert (response.status_code, response.text) == (200, "")


async def test_settings_change_alone_and_null_turns_cache_and_limit_off(
    platform: Platform, ann: Account, model_id: str
) -> None:
    change = {
        "access": "public",
        "rate_limit": {"requests": 5},
        "cache_ttl_seconds": 60,
        "timeout_seconds": 9,
    }
    model = (await ann.http.patch(url(model_id), json=change)).json()
    assert model["rate_limit"] == {"requests": 5, "period_seconds": 60}
    assert (model["name"], model["access"], model["cache_ttl_seconds"]) == ("Iris", "public", 60)
    off = (await ann.http.patch(url(model_id), json={"rate_limit": None, "cache_ttl_seconds": 0})).json()
    assert (off["rate_limit"], off["cache_ttl_seconds"], off["access"]) == (None, None, "public")


async def test_acceleration_is_switched_and_what_others_settings_were_stays(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await platform.published(model_id, "v1")
    await ann.http.patch(url(model_id), json={"timeout_seconds": 9})
    off = (await ann.http.patch(url(model_id), json={"acceleration": "off"})).json()
    assert (off["acceleration"], off["timeout_seconds"], off["name"]) == ("off", 9, "Iris")
    await until(lambda: platform.cluster.objects[model_id]["spec"].get("acceleration") == "off")
    auto = (await ann.http.patch(url(model_id), json={"acceleration": "auto"})).json()
    assert auto["acceleration"] == "auto"
    # Named although it is the default: an apply that leaves it out would leave what others wrote.
    await until(lambda: platform.cluster.objects[model_id]["spec"].get("acceleration") == "auto")


async def test_a_switch_of_acceleration_is_in_the_audit_log(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await ann.http.patch(url(model_id), json={"acceleration": "off"})
    with platform.plane.context.database.transaction() as session:
        row = session.scalars(select(AuditEntry).where(AuditEntry.action == "model.change")).one()
        assert (row.target, row.detail) == (
            f"model:{model_id}",
            {"changes": {"acceleration": "off"}, "before": {"acceleration": "auto"}},
        )


async def test_a_split_sticks_as_the_model_asks_and_not_by_default(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await platform.published(model_id, "v1")
    assert (await ann.http.get(url(model_id))).json()["sticky"] is None
    assert "sticky" not in platform.cluster.objects[model_id]["spec"]
    for sticky in ("caller", "session"):
        changed = (await ann.http.patch(url(model_id), json={"sticky": sticky})).json()
        assert (changed["sticky"], changed["name"]) == (sticky, "Iris")
        await until(lambda: platform.cluster.objects[model_id]["spec"].get("sticky") == sticky)  # noqa: B023
    await ann.http.patch(url(model_id), json={"timeout_seconds": 9})
    assert (await ann.http.get(url(model_id))).json()["sticky"] == "session"
    assert (await ann.http.patch(url(model_id), json={"sticky": None})).json()["sticky"] is None
    await until(lambda: "sticky" not in platform.cluster.objects[model_id]["spec"])


async def test_a_change_of_stickiness_is_in_the_audit_log(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await ann.http.patch(url(model_id), json={"sticky": "session"})
    await ann.http.patch(url(model_id), json={"sticky": None})
    with platform.plane.context.database.transaction() as session:
        query = select(AuditEntry.detail).where(AuditEntry.action == "model.change")
        details = session.scalars(query.order_by(AuditEntry.created_at)).all()
    assert details == [
        {"changes": {"sticky": "session"}, "before": {"sticky": None}},
        {"changes": {"sticky": None}, "before": {"sticky": "session"}},
    ]


async def test_moved_traffic_is_in_the_audit_log_with_what_it_was(
    platform: Platform, ann: Account, two_versions: str
) -> None:
    await ann.http.put(url(two_versions, "/traffic"), json={"v1": 90, "v2": 10})
    await ann.http.post(url(two_versions, "/rollback"))
    with platform.plane.context.database.transaction() as session:
        query = select(AuditEntry.detail).where(AuditEntry.action.startswith("traffic."))
        details = session.scalars(query.order_by(AuditEntry.created_at)).all()
    assert details == [
        {"traffic": {"v1": 90, "v2": 10}, "before": {"traffic": {"v1": 100}}},
        {"traffic": {"v1": 100}, "before": {"traffic": {"v1": 90, "v2": 10}}},
    ]


async def test_tags_are_kept_in_small_letters_each_once_and_removed(ann: Account, model_id: str) -> None:
    assert (await ann.http.get(url(model_id))).json()["tags"] == []
    change = {"tags": [" Prod", "eu", "prod", "größe"]}
    assert (await ann.http.patch(url(model_id), json=change)).json()["tags"] == ["eu", "größe", "prod"]
    assert (await ann.http.patch(url(model_id), json={"timeout_seconds": 9})).json()["tags"] != []
    assert (await ann.http.patch(url(model_id), json={"tags": []})).json()["tags"] == []


async def test_a_version_reports_its_engine_and_how_it_was_proven(
    platform: Platform, ann: Account, model_id: str
) -> None:
    path = url(model_id, "/versions/v1")
    before = (await ann.http.get(path)).json()
    assert (before["engine"], before["acceleration"]) == (None, None)
    proof = {"rowsCompared": 1024, "largestDifference": 1e-9, "detail": "They are equal."}
    await platform.serve(model_id, {"v1": 100}, v1={**READY, "engine": "numpy", "acceleration": proof})
    version = (await ann.http.get(path)).json()
    assert version["engine"] == "numpy"
    assert version["acceleration"] == {
        "rows_compared": 1024,
        "largest_difference": 1e-9,
        "detail": "They are equal.",
    }
    native = {**READY, "engine": "native", "acceleration": {"detail": "Acceleration is switched off."}}
    await platform.serve(model_id, {"v1": 100}, v1=native)
    await platform.heard(model_id, lambda live: live.status.version("v1").engine == "native")
    (version,) = (await ann.http.get(url(model_id))).json()["versions"]
    assert version["engine"] == "native"
    assert version["acceleration"] == {
        "rows_compared": 0,
        "largest_difference": None,
        "detail": "Acceleration is switched off.",
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"acceleration": "on"}, "acceleration"),
        ({"acceleration": False}, "acceleration"),
        ({"acceleration": None}, "acceleration"),
        ({"sticky": "address"}, "sticky"),
        ({"sticky": True}, "sticky"),
        ({"access": "everyone"}, "access"),
        ({"access": None}, "access"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"cache_ttl_seconds": -1}, "cache_ttl_seconds"),
        ({"timeout_seconds": 601}, "timeout_seconds"),
        ({"rate_limit": {"requests": 0}}, "rate_limit.requests"),
        ({"description": "\0"}, "description"),
        ({"tags": None}, "tags"),
        ({"tags": "prod"}, "tags"),
        ({"tags": ["ok", ""]}, "tags[1]"),
        ({"tags": ["a,b"]}, "tags[0]"),
        ({"tags": ['a"b']}, "tags[0]"),
        ({"tags": ["a\\b"]}, "tags[0]"),
        ({"tags": ["a\nb"]}, "tags[0]"),
        ({"tags": ["x" * 41]}, "tags[0]"),
        ({"tags": [str(number) for number in range(21)]}, "tags"),
        ({"owner_id": "bob"}, "owner_id"),
    ],
)
async def test_a_bad_change_names_its_field(
    ann: Account, model_id: str, change: dict[str, object], field: str
) -> None:
    response = await ann.http.patch(url(model_id), json=change)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_lists_are_paged_newest_first_and_stable(ann: Account, bob: Account, iris_bytes: bytes) -> None:
    made = [(await ann.upload(iris_bytes, name=f"m{i}")).json()["id"] for i in range(5)]
    await bob.upload(iris_bytes)
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await ann.http.get(f"/api/v1/models?limit=2{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == made[::-1]
    bad = await ann.http.get("/api/v1/models?cursor=nonsense")
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "cursor")


async def test_a_deleted_model_is_gone_here_and_in_the_cluster(
    platform: Platform, ann: Account, model_id: str
) -> None:
    await platform.published(model_id, "v1")
    assert (await ann.http.delete(url(model_id))).status_code == 204
    assert (await ann.http.get(url(model_id))).status_code == 404
    assert platform.stored() == []
    async with asyncio.timeout(60):
        while model_id in platform.cluster.objects:  # noqa: ASYNC110 - the cluster is played by a dictionary
            await asyncio.sleep(0.01)


ROUTES = [
    ("GET", "", "models:read"),
    ("GET", "/versions/v1", "models:read"),
    ("GET", "/versions/v1/logs", "models:read"),
    ("GET", "/versions/v1/importance", "models:read"),
    ("POST", "/versions/v1/importance", "models:write"),
    ("PATCH", "", "models:write"),
    ("PUT", "/traffic", "models:write"),
    ("POST", "/rollback", "models:write"),
    ("POST", "/versions", "models:write"),
    ("DELETE", "/versions/v1", "models:write"),
    ("DELETE", "", "models:write"),
]


async def call(http: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    bodies: dict[str, object] = {"PATCH": {}, "PUT": {"v1": 100}}
    return await http.request(method, path, json=bodies.get(method))


def key_client(platform: Platform, key: str) -> httpx.AsyncClient:
    return platform.client(**{"X-API-Key": key})


async def make_key(account: Account, **fields: object) -> dict[str, str]:
    response = await account.http.post("/api/v1/api-keys", json={"name": "k", **fields})
    assert response.status_code == 201, response.text
    made: dict[str, str] = response.json()
    return made


@pytest.mark.parametrize(("method", "rest", "scope"), ROUTES)
async def test_only_the_owner_gets_at_a_model(
    platform: Platform, ann: Account, bob: Account, model_id: str, method: str, rest: str, scope: str
) -> None:
    path, nowhere = url(model_id, rest), url("nosuch-abcde", rest)
    async with platform.client() as nobody:
        refused = await call(nobody, method, path)
    assert (refused.status_code, "WWW-Authenticate" in refused.headers) == (401, True)
    theirs, none = await call(bob.http, method, path), await call(bob.http, method, nowhere)
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert {**theirs.json(), "request_id": ""} == {**none.json(), "request_id": ""}
    other = "models:write" if scope == "models:read" else "models:read"
    wrong = await make_key(ann, scopes=[other])
    elsewhere = await make_key(ann, scopes=[scope], model_ids=["other-abcde"])
    revoked, expired = await make_key(ann, scopes=[scope]), await make_key(ann, scopes=[scope])
    with platform.plane.context.database.transaction() as session:
        row = session.get_one(ApiKey, expired["id"])
        row.expires_at = utc_now() - timedelta(seconds=1)
    await ann.http.delete(f"/api/v1/api-keys/{revoked['id']}")
    for key, status in ((wrong, 403), (elsewhere, 404), (revoked, 401), (expired, 401)):
        assert (await call(key_client(platform, key["key"]), method, path)).status_code == status
    assert (await ann.http.get(url(model_id))).status_code == 200


async def test_a_key_for_certain_models_makes_no_other_and_lists_only_its_own(
    platform: Platform, ann: Account, model_id: str, iris_bytes: bytes
) -> None:
    await ann.upload(iris_bytes)
    key = await make_key(ann, scopes=["models:read", "models:write"], model_ids=[model_id])
    restricted = Account(key_client(platform, key["key"]))
    assert (await restricted.upload(iris_bytes)).status_code == 403
    listed = (await restricted.http.get("/api/v1/models")).json()["items"]
    assert [item["id"] for item in listed] == [model_id]


async def test_the_documentation_has_a_file_chooser_and_the_prediction_calls(ann: Account) -> None:
    document = (await ann.http.get("/openapi.json")).json()
    body = document["paths"]["/api/v1/models/upload"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert body["schema"]["properties"]["file"]["format"] == "binary"
    assert "/predict/{model_id}" in document["paths"]
