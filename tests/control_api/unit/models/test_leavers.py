"""What becomes of the models of an account that is deleted, or whose owner leaves."""

from pathlib import Path
from typing import Any

import pytest
from modelport_control_api.accounts.tables import AuditEntry, User
from modelport_control_api.db.base import utc_now
from modelport_control_api.history.tables import KeptPrediction
from modelport_control_api.registry.tables import BatchJob, ModelRow
from sqlalchemy import func, select

from tests.control_api.unit.models.platform import PASSWORD, Account, Platform, running_platform, settings_at
from tests.support.waiting import until

USERS = "/api/v1/admin/users"
BOB = "bob@example.com"


@pytest.fixture
async def root(platform: Platform) -> Account:
    return await platform.admin()


@pytest.fixture
async def model_id(ann: Account, iris_bytes: bytes) -> str:
    return str((await ann.upload(iris_bytes)).raise_for_status().json()["id"])


async def id_of(account: Account) -> str:
    return str((await account.http.get("/api/v1/auth/me")).json()["id"])


def count(platform: Platform, table: Any) -> int:
    with platform.plane.context.database.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def keep_prediction(platform: Platform, model_id: str) -> None:
    with platform.plane.context.database.transaction() as session:
        session.add(
            KeptPrediction(
                model_id=model_id, version="v1", created_at=utc_now(), caller_id="", api_key_id="",
                request_id="r", status=200, reason="", cache="miss", seconds=0.1, request="{}",
                request_bytes=2, answer="{}", truncated=False,
            )
        )  # fmt: skip


def add_job(platform: Platform, owner_id: str, model_id: str) -> Path:
    """A finished one; return the folder of its files."""
    with platform.plane.context.database.transaction() as session:
        job = BatchJob(
            owner_id=owner_id, model_id=model_id, version="v1", state="succeeded", input_format="csv",
            output_format="csv",
        )  # fmt: skip
        session.add(job)
        session.flush()
        folder = platform.root / "artifacts" / "batch" / job.id
    folder.mkdir(parents=True)
    (folder / "input").write_bytes(b"1\n")
    return folder


async def test_models_go_with_their_owner_only_if_that_is_said(
    platform: Platform, root: Account, ann: Account, model_id: str
) -> None:
    await platform.published(model_id, "v1")
    ann_id = await id_of(ann)
    keep_prediction(platform, model_id)
    files_of_job = add_job(platform, ann_id, model_id)
    refused = await root.http.delete(f"{USERS}/{ann_id}")
    assert refused.status_code == 409
    assert "holds 1 model" in refused.json()["detail"]
    assert "models=transfer" in refused.json()["detail"]
    done = await root.http.delete(f"{USERS}/{ann_id}", params={"models": "delete"})
    assert done.status_code == 204, done.text
    for table in (ModelRow, KeptPrediction, BatchJob):
        assert count(platform, table) == 0, table
    assert platform.stored() == []
    assert not files_of_job.exists()
    await until(lambda: model_id not in platform.cluster.objects)


async def test_models_are_handed_over_with_the_account_and_serve_on(
    platform: Platform, root: Account, ann: Account, bob: Account, model_id: str
) -> None:
    await platform.serve(model_id, {"v1": 100})
    ann_id, bob_id = await id_of(ann), await id_of(bob)
    keep_prediction(platform, model_id)
    query = {"models": "transfer", "to": "Bob@Example.com"}
    assert (await root.http.delete(f"{USERS}/{ann_id}", params=query)).status_code == 204
    model = (await bob.http.get(f"/api/v1/models/{model_id}")).json()
    assert (model["owner_id"], model["traffic"]) == (bob_id, {"v1": 100})
    await until(lambda: platform.cluster.objects[model_id]["spec"]["owner"] == bob_id)
    assert len(platform.stored()) == 1
    assert count(platform, KeptPrediction) == 0, "they were the former owner's alone"
    with platform.plane.context.database.transaction(read_only=True) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "model.transfer")).one()
    assert entry.target == f"model:{model_id}"
    assert entry.detail == {
        "name": "Iris",
        "owner": BOB,
        "before": {"owner": "ann@example.com"},
    }


async def test_models_are_handed_over_while_their_owner_stays(
    platform: Platform, root: Account, ann: Account, bob: Account, model_id: str
) -> None:
    ann_id, bob_id = await id_of(ann), await id_of(bob)
    assert (await root.http.patch(f"{USERS}/{ann_id}", json={"disabled": True})).status_code == 200
    moved = await root.http.post(f"{USERS}/{ann_id}/transfer", json={"to": bob_id})
    assert moved.json() == {"models": [model_id]}
    assert (await bob.http.get(f"/api/v1/models/{model_id}")).status_code == 200
    assert (await bob.http.get("/api/v1/auth/me")).json()["quota"]["models"] == 1
    assert (await root.http.post(f"{USERS}/{ann_id}/transfer", json={"to": bob_id})).json() == {"models": []}
    assert count(platform, User) == 3


@pytest.mark.parametrize(
    ("to", "status", "said"),
    [
        ("nobody@example.com", 404, "no account nobody@example.com"),
        ("00000000-0000-4000-8000-000000000000", 404, "No such account"),
        ("ann@example.com", 422, "must be another account"),
        ("a\0b", 422, "control characters"),
    ],
)
async def test_who_cannot_take_models_is_named(
    platform: Platform, root: Account, ann: Account, model_id: str, to: str, status: int, said: str
) -> None:
    refused = await root.http.post(f"{USERS}/{await id_of(ann)}/transfer", json={"to": to})
    assert (refused.status_code, said in refused.json()["detail"]) == (status, True), refused.text
    assert (await ann.http.get(f"/api/v1/models/{model_id}")).status_code == 200


async def test_a_disabled_account_takes_no_models(
    root: Account, ann: Account, bob: Account, model_id: str
) -> None:
    await root.http.patch(f"{USERS}/{await id_of(bob)}", json={"disabled": True})
    query = {"models": "transfer", "to": BOB}
    refused = await root.http.delete(f"{USERS}/{await id_of(ann)}", params=query)
    assert (refused.status_code, "is disabled" in refused.json()["detail"]) == (409, True)
    assert (await ann.http.get(f"/api/v1/models/{model_id}")).status_code == 200


@pytest.mark.parametrize(
    "query", [{"models": "transfer"}, {"to": BOB}, {"models": "delete", "to": BOB}, {"models": "keep"}]
)
async def test_what_becomes_of_models_is_said_whole(
    root: Account, ann: Account, bob: Account, query: dict[str, str]
) -> None:
    refused = await root.http.delete(f"{USERS}/{await id_of(ann)}", params=query)
    assert refused.status_code == 422, refused.text
    assert (await ann.http.get("/api/v1/auth/me")).status_code == 200


async def test_models_count_as_the_new_owners(tmp_path: Path, sqlite_url: str, iris_bytes: bytes) -> None:
    settings = settings_at(tmp_path, sqlite_url, user_max_models=1)
    async with running_platform(settings, tmp_path) as platform:
        root, ann, bob = await platform.admin(), await platform.account("ann"), await platform.account("bob")
        for account in (ann, bob):
            assert (await account.upload(iris_bytes)).status_code == 202
        path = f"{USERS}/{await id_of(ann)}/transfer"
        refused = await root.http.post(path, json={"to": BOB})
        assert refused.status_code == 409
        assert f"{BOB} has no room for them" in refused.json()["detail"]
        await root.http.patch(f"{USERS}/{await id_of(bob)}", json={"max_models": 2})
        assert len((await root.http.post(path, json={"to": BOB})).json()["models"]) == 1


async def test_an_owner_says_that_the_models_go_too(platform: Platform, ann: Account, model_id: str) -> None:
    await platform.published(model_id, "v1")
    body = {"current_password": PASSWORD}
    refused = await ann.http.post("/api/v1/auth/me/delete", json=body)
    assert refused.status_code == 409
    assert "holds 1 model" in refused.json()["detail"]
    assert "delete_models" in refused.json()["detail"]
    done = await ann.http.post("/api/v1/auth/me/delete", json=body | {"delete_models": True})
    assert done.status_code == 204
    assert count(platform, ModelRow) == count(platform, User) == 0
    assert platform.stored() == []
    await until(lambda: model_id not in platform.cluster.objects)


async def test_models_of_a_disabled_user_stay_and_are_the_administrators_to_change(
    platform: Platform, root: Account, ann: Account, model_id: str
) -> None:
    await platform.serve(model_id, {"v1": 100})
    await root.http.patch(f"{USERS}/{await id_of(ann)}", json={"disabled": True})
    assert (await ann.http.get(f"/api/v1/models/{model_id}")).status_code == 401
    model = (await root.http.patch(f"/api/v1/models/{model_id}", json={"access": "private"})).json()
    assert (model["traffic"], model["access"]) == ({"v1": 100}, "private")


async def test_an_upload_of_an_account_that_was_deleted_meanwhile_is_no_500(
    platform: Platform, root: Account, ann: Account, iris_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = platform.plane.models.uploads
    commit = type(uploads).commit
    ann_id = await id_of(ann)

    async def deleted_before(self: Any, staged: Any, create: Any) -> Any:
        assert (await root.http.delete(f"{USERS}/{ann_id}")).status_code == 204
        return await commit(self, staged, create)

    monkeypatch.setattr(type(uploads), "commit", deleted_before)
    response = await ann.upload(iris_bytes)
    assert (response.status_code, "was deleted" in response.json()["detail"]) == (401, True)
    assert platform.stored() == []
