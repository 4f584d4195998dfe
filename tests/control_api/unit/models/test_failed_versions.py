"""A version that failed gives its place: to another file, or to its own with another sample."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from modelport_control_api.accounts.tables import AuditEntry
from modelport_control_api.errors import InvalidFields
from modelport_control_api.models import retrying
from modelport_control_api.registry import service
from modelport_control_api.registry.tables import ModelRow
from modelport_store.store import Limit
from sklearn.linear_model import LogisticRegression
from sqlalchemy import select

from tests.control_api.unit.models.fake_cluster import FAILED, READY
from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at

ROW = [5.1, 3.5, 1.4, 0.2]
ALONE = {"versions": ["v2"], "traffic": {"v2": 100}, "before": None, "compared": None}
REFERENCE = "a,b,c,d\n" + "5.1,3.5,1.4,0.2\n" * 30


def url(model_id: str, rest: str = "") -> str:
    return f"/api/v1/models/{model_id}{rest}"


@pytest.fixture
async def failed(platform: Platform, ann: Account, iris_bytes: bytes) -> str:
    """A model whose first version failed, with a sample."""
    made = await ann.upload(iris_bytes, sample=json.dumps({"wrong": 1}))
    model_id = str(made.json()["id"])
    await platform.serve(model_id, {}, v1=FAILED)
    return model_id


@pytest.fixture
def corrected(iris_model: LogisticRegression) -> bytes:
    """Another file of the model."""
    return pickle.dumps(iris_model, protocol=5)


@pytest.fixture
async def canary(platform: Platform, ann: Account, failed: str, iris_bytes: bytes) -> str:
    """Of three versions the first failed, the second serves, and the third failed as its canary."""
    await ann.upload_version(failed, iris_bytes)
    await platform.serve(failed, {"v2": 100}, v1=FAILED, v2=READY)
    await ann.upload_version(failed, iris_bytes, traffic="10")
    await platform.serve(failed, {"v2": 100}, v1=FAILED, v2=READY, v3=FAILED)
    return failed


def row_of(platform: Platform, model_id: str) -> dict[str, Any]:
    with platform.plane.context.database.transaction(read_only=True) as session:
        row = session.get_one(ModelRow, model_id)
        names = [f"v{version.number}" for version in row.versions]
        return {
            "versions": names,
            "traffic": row.traffic,
            "before": row.previous_traffic,
            "compared": row.compatible_with,
        }


# Another file


async def test_a_corrected_file_takes_the_place_and_the_failed_one_goes_with_its_file(
    platform: Platform, ann: Account, failed: str, corrected: bytes
) -> None:
    added = await ann.upload_version(failed, corrected, replaces="v1")
    assert (added.status_code, added.json()["name"], added.json()["status"]) == (202, "v2", "pending")
    assert row_of(platform, failed) == ALONE
    assert platform.stored() == [added.json()["sha256"]]


async def test_where_no_version_more_may_be_a_failed_one_still_gives_its_place(
    ann: Account, failed: str, corrected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_VERSIONS", 1)
    refused = await ann.upload_version(failed, corrected)
    assert (refused.status_code, "delete some first" in refused.json()["detail"]) == (409, True)
    added = await ann.upload_version(failed, corrected, replaces="v1")
    assert (added.status_code, added.json()["name"]) == (202, "v2")
    assert (await ann.upload_version(failed, corrected)).status_code == 409


async def test_the_same_file_again_keeps_its_file(
    platform: Platform, ann: Account, failed: str, iris_bytes: bytes
) -> None:
    added = (await ann.upload_version(failed, iris_bytes, replaces="v1", traffic="0")).json()
    assert row_of(platform, failed)["traffic"] == {"v2": 100}, "nothing else could serve"
    assert platform.stored() == [added["sha256"]]


async def test_beside_one_that_serves_only_the_failed_one_is_replaced(
    platform: Platform, ann: Account, failed: str, iris_bytes: bytes
) -> None:
    await ann.upload_version(failed, iris_bytes)
    await platform.serve(failed, {"v2": 100}, v1=FAILED, v2=READY)
    added = await ann.upload_version(failed, iris_bytes, replaces="v1", traffic="0")
    assert added.json()["name"] == "v3"
    assert row_of(platform, failed)["versions"] == ["v2", "v3"]
    assert row_of(platform, failed)["traffic"] == {"v2": 100}


@pytest.mark.parametrize(
    ("replaces", "status", "said"),
    [("v2", 409, "v2 is ready"), ("v9", 404, "no version v9"), ("first", 422, "name of a version")],
)
async def test_only_what_has_failed_is_replaced_and_nothing_is_left_of_the_try(
    platform: Platform,
    ann: Account,
    failed: str,
    iris_bytes: bytes,
    corrected: bytes,
    replaces: str,
    status: int,
    said: str,
) -> None:
    await ann.upload_version(failed, iris_bytes)
    await platform.serve(failed, {"v2": 100}, v1=FAILED, v2=READY)
    stored = platform.stored()
    refused = await ann.upload_version(failed, corrected, replaces=replaces)
    assert (refused.status_code, said in refused.json()["detail"]) == (status, True), refused.text
    assert row_of(platform, failed)["versions"] == ["v1", "v2"]
    assert (platform.stored(), platform.incoming()) == (stored, [])


@pytest.mark.parametrize(
    ("form", "traffic", "compared"),
    [
        ({}, {"v2": 90, "v4": 10}, {"v4": "v2"}),
        ({"traffic": ""}, {"v2": 90, "v4": 10}, {"v4": "v2"}),
        ({"force": "true"}, {"v2": 90, "v4": 10}, None),
        ({"traffic": "30"}, {"v2": 70, "v4": 30}, {"v4": "v2"}),
        ({"traffic": "0"}, {"v2": 100}, None),
    ],
)
async def test_it_gets_what_the_failed_one_was_to_get_or_what_is_asked_and_is_compared(
    platform: Platform,
    ann: Account,
    canary: str,
    iris_bytes: bytes,
    form: dict[str, str],
    traffic: dict[str, int],
    compared: dict[str, str] | None,
) -> None:
    await ann.upload_version(canary, iris_bytes, replaces="v3", **form)
    found = row_of(platform, canary)
    assert (found["versions"], found["traffic"]) == (["v1", "v2", "v4"], traffic)
    assert found["compared"] == compared


async def test_one_that_was_to_get_nothing_gives_nothing(
    platform: Platform, ann: Account, canary: str, iris_bytes: bytes
) -> None:
    await ann.upload_version(canary, iris_bytes, replaces="v1")
    found = row_of(platform, canary)
    assert (found["traffic"], found["compared"]) == ({"v2": 90, "v3": 10}, {"v3": "v2"})


# Another sample


async def test_the_place_of_a_canary_is_compared_as_a_canary_is(
    platform: Platform, ann: Account, canary: str
) -> None:
    await ann.http.post(url(canary, "/versions/v3/retry"), json={"sample": ROW})
    found = row_of(platform, canary)
    assert (found["traffic"], found["compared"]) == ({"v2": 90, "v4": 10}, {"v4": "v2"})


async def test_it_is_tried_again_with_another_sample_as_a_version_of_the_same_file(
    platform: Platform, ann: Account, failed: str
) -> None:
    before = (await ann.http.get(url(failed, "/versions/v1"))).json()
    again = await ann.http.post(url(failed, "/versions/v1/retry"), json={"sample": ROW})
    assert again.status_code == 202, again.text
    found = again.json()
    assert (found["name"], found["status"], found["sample"]) == ("v2", "pending", {"input": ROW})
    assert (found["sha256"], found["framework"]) == (before["sha256"], before["framework"])
    assert again.headers["Location"] == url(failed, "/versions/v2")
    assert row_of(platform, failed) == ALONE
    await platform.serve(failed, {"v2": 100})
    assert (await ann.http.get(url(failed))).json()["status"] == "ready"
    assert platform.stored() == [before["sha256"]]


async def test_it_is_tried_again_in_another_environment_in_the_same_or_in_none(
    platform: Platform, ann: Account, failed: str
) -> None:
    wanted: list[tuple[dict[str, str], str | None]] = [
        ({"environment": "sklearn-1.2"}, "sklearn-1.2"),
        ({}, "sklearn-1.2"),
        ({"environment": "platform"}, None),
    ]
    for number, (body, environment) in enumerate(wanted, start=1):
        response = await ann.http.post(url(failed, f"/versions/v{number}/retry"), json=body)
        assert response.status_code == 202, response.text
        assert response.json()["environment"] == environment
        await platform.serve(failed, {}, **{f"v{number + 1}": FAILED})
    refused = await ann.http.post(url(failed, "/versions/v4/retry"), json={"environment": "sklearn-0.1"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "environment")


@pytest.mark.parametrize(
    ("body", "sample"),
    [({}, {"input": {"wrong": 1}}), ({"sample": None}, None), ({"sample": {"input": ROW}}, {"input": ROW}),
     ({"sample": "same"}, {"input": "same"})],
)  # fmt: skip
async def test_a_sample_stays_goes_or_is_another(
    ann: Account, failed: str, body: dict[str, Any], sample: Any
) -> None:
    again = await ann.http.post(url(failed, "/versions/v1/retry"), json=body)
    assert again.json()["sample"] == sample


async def test_its_share_of_the_traffic_and_its_reference_go_over(
    platform: Platform, ann: Account, failed: str, iris_bytes: bytes
) -> None:
    await ann.upload_version(failed, iris_bytes)
    await platform.serve(failed, {"v2": 100}, v1=FAILED, v2=READY)
    sent = await ann.http.put(url(failed, "/versions/v1/reference"), content=REFERENCE)
    assert sent.status_code == 200, sent.text
    with platform.plane.context.database.transaction() as session:
        session.get_one(ModelRow, failed).traffic = {"v1": 10, "v2": 90}
    await ann.http.post(url(failed, "/versions/v1/retry"), json={})
    assert row_of(platform, failed) == {
        "versions": ["v2", "v3"],
        "traffic": {"v3": 10, "v2": 90},
        "before": None,
        "compared": {"v3": "v2"},
    }
    kept = await ann.http.get(url(failed, "/versions/v3/reference"))
    assert (kept.status_code, kept.json()["rows"]) == (200, 30)
    assert (await ann.http.get(url(failed, "/versions/v1/reference"))).status_code == 404


async def test_what_has_not_failed_is_not_tried_again(
    platform: Platform, ann: Account, failed: str, iris_bytes: bytes
) -> None:
    await ann.upload_version(failed, iris_bytes)
    await platform.serve(failed, {"v2": 100}, v1=FAILED, v2=READY)
    refused = await ann.http.post(url(failed, "/versions/v2/retry"), json={})
    assert (refused.status_code, "v2 is ready" in refused.json()["detail"]) == (409, True)
    assert (await ann.http.post(url(failed, "/versions/v9/retry"), json={})).status_code == 404


def test_a_sample_that_is_longer_than_a_process_is_given_is_refused() -> None:
    with pytest.raises(InvalidFields, match="at most 64 KiB"):
        retrying._checked([1] * 40_000)


@pytest.mark.parametrize("sample", [5, True, 1.5])
async def test_a_sample_that_is_no_row_is_named(ann: Account, failed: str, sample: Any) -> None:
    refused = await ann.http.post(url(failed, "/versions/v1/retry"), json={"sample": sample})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"field": "sample", "message": refused.json()["detail"].removeprefix("sample ").removesuffix(".")}
    ]
    assert "must be one row" in refused.json()["detail"]


async def test_another_try_is_in_the_audit_log(platform: Platform, ann: Account, failed: str) -> None:
    await ann.http.post(url(failed, "/versions/v1/retry"), json={"sample": ROW})
    with platform.plane.context.database.transaction() as session:
        row = session.scalars(select(AuditEntry).where(AuditEntry.action == "version.retry")).one()
        assert row.detail == {"version": "v2", "of": "v1", "new_sample": True}


async def test_another_try_counts_as_an_upload(tmp_path: Path, sqlite_url: str, iris_bytes: bytes) -> None:
    settings = settings_at(tmp_path, sqlite_url, limit_upload=Limit(1, 3600))
    async with running_platform(settings, tmp_path) as platform:
        ann = await platform.account("ann")
        model_id = (await ann.upload(iris_bytes)).json()["id"]
        await platform.serve(model_id, {}, v1=FAILED)
        assert (await ann.http.post(url(model_id, "/versions/v1/retry"), json={})).status_code == 429


async def test_others_and_keys_that_may_not_write_try_nothing_again(
    platform: Platform, ann: Account, bob: Account, failed: str
) -> None:
    path = url(failed, "/versions/v1/retry")
    assert (await bob.http.post(path, json={})).status_code == 404
    async with platform.client() as nobody:
        assert (await nobody.post(path, json={})).status_code == 401
        made = await ann.http.post(
            "/api/v1/api-keys", json={"name": "ci", "scopes": ["models:read", "predict"]}
        )
        key = {"X-API-Key": made.json()["key"]}
        assert (await nobody.post(path, json={}, headers=key)).status_code == 403
        await ann.http.delete(f"/api/v1/api-keys/{made.json()['id']}")
        assert (await nobody.post(path, json={}, headers=key)).status_code == 401
    assert row_of(platform, failed)["versions"] == ["v1"]


# Files


async def test_a_file_comes_back_as_it_was_uploaded(ann: Account, failed: str, iris_bytes: bytes) -> None:
    response = await ann.http.get(url(failed, "/versions/v1/artifact"))
    assert response.content == iris_bytes
    version = (await ann.http.get(url(failed, "/versions/v1"))).json()
    assert response.headers["ETag"] == f'"{version["sha256"]}"'
    assert response.headers["Content-Disposition"] == f'attachment; filename="{failed}-v1.joblib"'
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Repr-Digest"].startswith("sha-256=:")


async def test_files_are_their_owners(platform: Platform, ann: Account, bob: Account, failed: str) -> None:
    path = url(failed, "/versions/v1/artifact")
    assert (await bob.http.get(path)).status_code == 404
    assert (await ann.http.get(url(failed, "/versions/v2/artifact"))).status_code == 404
    async with platform.client() as nobody:
        assert (await nobody.get(path)).status_code == 401
        made = await ann.http.post("/api/v1/api-keys", json={"name": "ci", "scopes": ["predict"]})
        assert (await nobody.get(path, headers={"X-API-Key": made.json()["key"]})).status_code == 403


async def test_a_digest_that_somebody_wrote_into_the_cluster_opens_no_other_file(
    platform: Platform, ann: Account, bob: Account, failed: str, iris_bytes: bytes, corrected: bytes
) -> None:
    other = (await bob.upload(corrected)).json()["versions"][0]["sha256"]
    spec = platform.cluster.objects[failed]["spec"]
    versions = [{**spec["versions"][0], "artifact": {"uri": f"artifact:{other}", "sha256": other}}]
    platform.cluster.edit(failed, {**spec, "versions": versions})
    platform.settle()
    response = await ann.http.get(url(failed, "/versions/v1/artifact"))
    assert response.content == iris_bytes


# Names


async def test_models_are_found_by_name(ann: Account, bob: Account, iris_bytes: bytes) -> None:
    first = (await ann.upload(iris_bytes, "Iris")).json()["id"]
    await ann.upload(iris_bytes, "Iris 2")
    await bob.upload(iris_bytes, "Iris")

    async def named(account: Account, name: str) -> list[str]:
        response = await account.http.get("/api/v1/models", params={"name": name})
        return [each["id"] for each in response.json()["items"]]

    assert await named(ann, "Iris") == [first]
    assert await named(ann, "iris") == await named(ann, "'; --") == []
    assert (await ann.http.get("/api/v1/models", params={"name": "a\0b"})).status_code == 422


async def test_an_upload_says_which_others_are_called_so(
    platform: Platform, ann: Account, bob: Account, failed: str, iris_bytes: bytes
) -> None:
    assert (await bob.upload(iris_bytes, "Iris")).json()["same_name"] == [], "of others nothing is said"
    made = await ann.upload(iris_bytes, "Iris")
    assert made.json()["same_name"] == [{"id": failed, "status": "failed"}]
    assert (await ann.upload(iris_bytes, "Other")).json()["same_name"] == []
    assert "same_name" not in (await ann.http.get(url(failed))).json()
