"""How much a user may hold: everybody the same, but for whom an administrator set something else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.control_api.unit.models.fake_cluster import FAILED, READY
from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at


@pytest.fixture
async def narrow(tmp_path: Path, sqlite_url: str, iris_bytes: bytes) -> AsyncIterator[Platform]:
    """Two models, and bytes for three files."""
    limits = {"user_max_models": 2, "user_max_bytes": 3 * len(iris_bytes)}
    async with running_platform(settings_at(tmp_path, sqlite_url, **limits), tmp_path) as running:
        yield running


def _is_refused(response: httpx.Response, what: str) -> bool:
    detail = response.json()["detail"]
    return response.status_code == 409 and what in detail and "ask an administrator" in detail


async def test_a_failed_version_makes_room_for_the_one_that_replaces_it(
    tmp_path: Path, sqlite_url: str, iris_bytes: bytes
) -> None:
    settings = settings_at(tmp_path, sqlite_url, user_max_bytes=2 * len(iris_bytes) + 1)
    async with running_platform(settings, tmp_path) as platform:
        ann = await platform.account("ann")
        model = await _id(await ann.upload(iris_bytes))
        assert (await ann.upload_version(model, iris_bytes)).status_code == 202
        await platform.serve(model, {"v2": 100}, v1=FAILED, v2=READY)
        assert _is_refused(await ann.upload_version(model, iris_bytes), "bytes of model files")
        assert (await ann.upload_version(model, iris_bytes, replaces="v1")).status_code == 202


async def _id(response: httpx.Response) -> str:
    assert response.status_code == 202, response.text
    model_id: str = response.json()["id"]
    return model_id


async def _user_id(account: Account) -> str:
    user_id: str = (await account.http.get("/api/v1/auth/me")).json()["id"]
    return user_id


async def test_a_model_too_many_is_refused_and_one_less_makes_room(
    narrow: Platform, iris_bytes: bytes
) -> None:
    ann, bob = await narrow.account("ann"), await narrow.account("bob")
    first = await _id(await ann.upload(iris_bytes))
    await _id(await ann.upload(iris_bytes))
    assert _is_refused(await ann.upload(iris_bytes), "holds 2 models; 2 is the most")
    await _id(await bob.upload(iris_bytes))
    assert (await ann.http.delete(f"/api/v1/models/{first}")).status_code == 204
    await _id(await ann.upload(iris_bytes))


async def test_bytes_too_many_are_refused_also_of_a_version(narrow: Platform, iris_bytes: bytes) -> None:
    ann = await narrow.account("ann")
    model = await _id(await ann.upload(iris_bytes))
    for _ in range(2):
        assert (await ann.upload_version(model, iris_bytes)).status_code == 202
    assert _is_refused(await ann.upload_version(model, iris_bytes), "bytes of model files")
    assert _is_refused(await ann.upload(iris_bytes), "bytes of model files")
    assert narrow.incoming() == []
    quota = (await ann.http.get("/api/v1/auth/me")).json()["quota"]
    size = len(iris_bytes)
    parts = {"model_bytes": 3 * size, "job_bytes": 0, "reference_bytes": 0}
    assert quota == {"models": 1, "max_models": 2, "bytes": 3 * size, "max_bytes": 3 * size, **parts}


async def test_references_count_and_one_takes_the_place_of_another(
    narrow: Platform, iris_bytes: bytes
) -> None:
    ann = await narrow.account("ann")
    model = await _id(await ann.upload(iris_bytes))
    url = f"/api/v1/models/{model}/versions/v1/reference"

    async def put(columns: int) -> httpx.Response:
        names = ",".join(f"column_{number}" for number in range(columns))
        rows = "\n".join(",".join([str(row)] * columns) for row in range(200))
        return await ann.http.put(url, content=f"{names}\n{rows}\n", headers={"Content-Type": "text/csv"})

    async def held() -> int:
        quota = (await ann.http.get("/api/v1/auth/me")).json()["quota"]
        assert quota["bytes"] == quota["model_bytes"] + quota["reference_bytes"]
        size: int = quota["reference_bytes"]
        return size

    assert (await put(1)).status_code == 200
    one = await held()
    assert one > 0
    assert (await put(1)).status_code == 200
    assert await held() == one
    assert _is_refused(await put(3 * len(iris_bytes) // one), "of references")
    assert await held() == one
    assert (await ann.http.delete(url)).status_code == 204
    assert await held() == 0


async def test_of_several_at_once_no_more_come_through_than_may(narrow: Platform, iris_bytes: bytes) -> None:
    ann = await narrow.account("ann")
    responses = await asyncio.gather(*(ann.upload(iris_bytes, f"model {number}") for number in range(6)))
    assert sorted(response.status_code for response in responses) == [202, 202, 409, 409, 409, 409]
    assert len((await ann.http.get("/api/v1/models")).json()["items"]) == 2


async def test_an_administrator_can_raise_and_lower_it(narrow: Platform, iris_bytes: bytes) -> None:
    ann, root = await narrow.account("ann"), await narrow.admin()
    path = f"/api/v1/admin/users/{await _user_id(ann)}"
    changed = await root.http.patch(path, json={"max_models": 3})
    assert (changed.json()["own_max_models"], changed.json()["own_max_bytes"]) == (3, None)
    models = [await _id(await ann.upload(iris_bytes)) for _ in range(3)]
    assert (await root.http.patch(path, json={"max_bytes": 10**9, "max_models": 1})).status_code == 200
    assert _is_refused(await ann.upload(iris_bytes), "holds 3 models; 1 is the most")
    assert (await ann.upload_version(models[0], iris_bytes)).status_code == 202, "what is there stays"
    back = (await root.http.patch(path, json={"max_models": None, "max_bytes": None})).json()
    assert (back["max_models"], back["own_max_models"]) == (2, None)
    listed = (await root.http.get("/api/v1/admin/users")).json()["items"]
    (shown,) = (user for user in listed if user["email"] == "ann@example.com")
    assert (shown["models"], shown["bytes"]) == (3, 4 * len(iris_bytes))


async def test_an_administrators_version_counts_as_the_owners(narrow: Platform, iris_bytes: bytes) -> None:
    ann, root = await narrow.account("ann"), await narrow.admin()
    model = await _id(await ann.upload(iris_bytes))
    assert (await root.upload_version(model, iris_bytes)).status_code == 202
    assert (await ann.http.get("/api/v1/auth/me")).json()["quota"]["bytes"] == 2 * len(iris_bytes)


@pytest.mark.parametrize(
    "body", [{"max_models": -1}, {"max_bytes": 2**60}, {"email": "x@y.z"}, {"max_models": 1.5}]
)
async def test_limits_that_make_no_sense_are_refused(narrow: Platform, body: dict[str, object]) -> None:
    ann, root = await narrow.account("ann"), await narrow.admin()
    response = await root.http.patch(f"/api/v1/admin/users/{await _user_id(ann)}", json=body)
    assert response.status_code == 422


async def test_an_account_that_is_not_there_is_not_found(narrow: Platform) -> None:
    root = await narrow.admin()
    for user_id in ("nobody", "a%00b"):
        response = await root.http.patch(f"/api/v1/admin/users/{user_id}", json={"max_models": 1})
        assert response.status_code == 404, response.text
