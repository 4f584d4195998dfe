"""Keys: shown once, scoped, expiring, rotated, and introspected by the gateway."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_control_api.accounts.api_keys import known, repository
from modelport_control_api.accounts.tables import ApiKey
from modelport_control_api.db.base import utc_now
from modelport_control_api.process.app import ControlPlane
from modelport_store.store import mark_of
from sqlalchemy import select, update

from tests.support.control_api import Person, build_control_plane, client_of, register, serving


@pytest.fixture
async def internal(control_plane: ControlPlane) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(control_plane.internal) as client:
        yield client


async def introspect(internal: httpx.AsyncClient, key: str) -> dict[str, Any]:
    response = await internal.post("/internal/v1/introspect", json={"key_sha256": repository.sha256(key)})
    assert response.status_code == 200
    reported: dict[str, Any] = response.json()
    return reported


async def test_a_key_is_shown_once_and_kept_hashed(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    made = await ada.make_key()
    assert len(made["key"]) == len("mlp_live_") + 43
    assert made["key"].startswith(made["prefix"])
    listed = await api.get("/api/v1/api-keys", headers=ada.bearer)
    assert made["key"] not in listed.text
    with control_plane.context.database.transaction(read_only=True) as session:
        row = session.scalars(select(ApiKey)).one()
        assert row.key_sha256 == repository.sha256(made["key"])
        assert made["key"] not in {str(value) for value in vars(row).values()}


async def test_introspection_says_what_the_contract_says(internal: httpx.AsyncClient, ada: Person) -> None:
    ends = (utc_now() + timedelta(hours=1)).isoformat()
    made = await ada.make_key(scopes=["predict", "models:read"], model_ids=["iris-7kq2p"], expires_at=ends)
    reported = await introspect(internal, made["key"])
    assert reported == {
        "active": True,
        "key_id": made["id"],
        "user_id": ada.id,
        "scopes": ["predict", "models:read"],
        "model_ids": ["iris-7kq2p"],
        "expires_at": made["expires_at"],
    }


async def test_a_key_predicts_everywhere_by_default(internal: httpx.AsyncClient, ada: Person) -> None:
    reported = await introspect(internal, (await ada.make_key())["key"])
    assert (reported["scopes"], reported["model_ids"], reported["expires_at"]) == (["predict"], None, None)


async def test_unknown_deleted_and_expired_keys_are_inactive(
    internal: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    assert await introspect(internal, repository.new_key()) == {"active": False}
    made = await ada.make_key()
    await ada.api.delete(f"/api/v1/api-keys/{made['id']}", headers=ada.bearer)
    assert await introspect(internal, made["key"]) == {"active": False}
    made = await ada.make_key()
    with control_plane.context.database.transaction() as session:
        session.execute(update(ApiKey).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert await introspect(internal, made["key"]) == {"active": False}


async def test_the_internal_app_refuses_what_is_no_digest(internal: httpx.AsyncClient) -> None:
    response = await internal.post("/internal/v1/introspect", json={"key_sha256": "mlp_live_x"})
    assert response.status_code == 422


async def test_introspection_is_not_on_the_public_app(api: httpx.AsyncClient) -> None:
    assert (await api.post("/internal/v1/introspect", json={"key_sha256": "0" * 64})).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"model_ids": []}, "model_ids"),
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"color": "red"}, "color"),
    ],
    ids=str,
)
async def test_a_bad_key_request_names_the_field(
    api: httpx.AsyncClient, ada: Person, body: dict[str, Any], field: str
) -> None:
    response = await api.post("/api/v1/api-keys", headers=ada.bearer, json={"name": "ci", **body})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"].startswith(field)


async def rotate(ada: Person, key_id: str, **body: Any) -> httpx.Response:
    return await ada.api.post(f"/api/v1/api-keys/{key_id}/rotate", headers=ada.bearer, json=body)


async def test_a_rotated_key_is_dead_at_once_without_grace(internal: httpx.AsyncClient, ada: Person) -> None:
    old = await ada.make_key()
    new = (await rotate(ada, old["id"])).json()
    assert new["id"] == old["id"]
    assert await introspect(internal, old["key"]) == {"active": False}
    assert (await introspect(internal, new["key"]))["active"]


async def test_a_rotated_key_works_through_its_grace_and_no_longer(
    internal: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    old = await ada.make_key()
    new = (await rotate(ada, old["id"], grace_seconds=60)).json()
    reported = await introspect(internal, old["key"])
    assert reported["active"]
    assert reported["expires_at"] is not None
    assert (await introspect(internal, new["key"]))["expires_at"] is None
    with control_plane.context.database.transaction() as session:
        session.execute(update(ApiKey).values(previous_expires_at=utc_now() - timedelta(seconds=1)))
    assert await introspect(internal, old["key"]) == {"active": False}


@pytest.mark.parametrize("seconds", [-1, 86_401, "soon"])
async def test_grace_is_at_most_a_day(ada: Person, seconds: Any) -> None:
    key = await ada.make_key()
    assert (await rotate(ada, key["id"], grace_seconds=seconds)).status_code == 422


async def test_an_expired_key_is_not_rotated_back_to_life(ada: Person, control_plane: ControlPlane) -> None:
    key = await ada.make_key()
    with control_plane.context.database.transaction() as session:
        session.execute(update(ApiKey).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert (await rotate(ada, key["id"])).status_code == 409


async def test_use_is_noted_at_most_once_a_minute(
    internal: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    key = await ada.make_key()

    async def last_used() -> Any:
        return (await ada.api.get("/api/v1/api-keys", headers=ada.bearer)).json()["items"][0]["last_used_at"]

    assert await last_used() is None
    await introspect(internal, key["key"])
    first = await last_used()
    assert first is not None
    await introspect(internal, key["key"])
    await ada.api.get("/api/v1/auth/me", headers={"X-API-Key": key["key"]})
    assert await last_used() == first
    with control_plane.context.database.transaction() as session:
        session.execute(update(ApiKey).values(last_used_at=utc_now() - timedelta(minutes=2)))
    await ada.api.get("/api/v1/auth/me", headers={"X-API-Key": key["key"]})
    assert await last_used() > first


async def test_keys_are_listed_in_pages_newest_first(api: httpx.AsyncClient, ada: Person) -> None:
    made = [(await ada.make_key(name=f"key {number}"))["id"] for number in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await api.get("/api/v1/api-keys", headers=ada.bearer, params=query)).json()
        seen += [key["id"] for key in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00", "ew=="])
async def test_a_cursor_that_we_did_not_give_is_a_422(
    api: httpx.AsyncClient, ada: Person, cursor: str
) -> None:
    response = await api.get("/api/v1/api-keys", headers=ada.bearer, params={"cursor": cursor})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "cursor"


async def test_existing_keys_are_marked_in_the_store_for_gateways(
    ada: Person, control_plane: ControlPlane
) -> None:
    store = control_plane.context.store

    async def is_marked(key: dict[str, Any]) -> bool:
        return await store.get(mark_of(repository.sha256(key["key"]))) is not None

    made = await ada.make_key()
    assert await is_marked(made)
    rotated = (await ada.api.post(f"/api/v1/api-keys/{made['id']}/rotate", headers=ada.bearer)).json()
    assert await is_marked(rotated)
    await store.aclose()
    assert not await is_marked(rotated)
    await known.mark_all(control_plane.accounts)
    assert await is_marked(rotated)
    assert not await is_marked(made)


async def test_an_account_holds_so_many_keys_and_expired_ones_do_not_count(
    sqlite_url: str, tmp_path: Path
) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, user_max_api_keys=2)
    async with serving(plane) as api:
        ada, bob = await register(api), await register(api, "bob@example.com")
        first = await ada.make_key()
        soon = await ada.make_key(expires_at=(utc_now() + timedelta(hours=1)).isoformat())
        refused = await api.post("/api/v1/api-keys", headers=ada.bearer, json={"name": "ci"})
        assert (refused.status_code, refused.json()["reason"]) == (409, "ApiKeyLimitReached")
        assert "holds 2 of the 2 API keys" in refused.json()["detail"]
        rotated = await api.post(f"/api/v1/api-keys/{first['id']}/rotate", headers=ada.bearer)
        assert rotated.status_code == 200
        await bob.make_key()
        with plane.context.database.transaction() as session:
            past = utc_now() - timedelta(seconds=1)
            session.execute(update(ApiKey).where(ApiKey.id == soon["id"]).values(expires_at=past))
        await ada.make_key()
        assert (await api.delete(f"/api/v1/api-keys/{first['id']}", headers=ada.bearer)).status_code == 204
        await ada.make_key()
