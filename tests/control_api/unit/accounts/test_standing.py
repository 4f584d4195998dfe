"""Accounts are disabled, promoted and deleted by administrators, and one of these always stays."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from modelport_control_api.accounts.sessions import api_sessions, ended
from modelport_control_api.accounts.tables import ApiKey, AuditEntry, Invite, PasswordLink, RefreshToken, User
from modelport_control_api.db.base import utc_now
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.registry.tables import BatchJob
from modelport_process.background import working
from modelport_store.store import tokens_ended_mark
from sqlalchemy import func, select, update

from tests.support.control_api import (
    PASSWORD,
    Person,
    build_control_plane,
    client_of,
    log_in,
    make_admin,
    register,
    serving,
)

USERS = "/api/v1/admin/users"


@pytest.fixture
async def root(api: httpx.AsyncClient, control_plane: ControlPlane) -> Person:
    """An administrator."""
    person = await register(api, "root@example.com")
    make_admin(control_plane, person)
    return person


@pytest.fixture
async def internal(control_plane: ControlPlane) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(control_plane.internal) as client:
        yield client


async def change(admin: Person, user_id: str, **body: Any) -> httpx.Response:
    return await admin.api.patch(f"{USERS}/{user_id}", headers=admin.bearer, json=body)


async def delete(admin: Person, user_id: str, query: str = "") -> httpx.Response:
    return await admin.api.delete(f"{USERS}/{user_id}{query}", headers=admin.bearer)


def entries(plane: ControlPlane, action: str) -> list[AuditEntry]:
    with plane.context.database.transaction(read_only=True) as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def count(plane: ControlPlane, table: Any) -> int:
    with plane.context.database.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


async def is_active(internal: httpx.AsyncClient, key_sha256: str) -> bool:
    response = await internal.post("/internal/v1/introspect", json={"key_sha256": key_sha256})
    active: bool = response.raise_for_status().json()["active"]
    return active


def digest_of(plane: ControlPlane, user_id: str) -> str:
    with plane.context.database.transaction(read_only=True) as session:
        return session.scalars(select(ApiKey.key_sha256).where(ApiKey.user_id == user_id)).one()


async def test_a_disabled_user_is_stopped_everywhere_at_once_and_enabled_again(
    api: httpx.AsyncClient,
    internal: httpx.AsyncClient,
    root: Person,
    bob: Person,
    control_plane: ControlPlane,
) -> None:
    key = await bob.make_key(scopes=["predict", "models:read"])
    digest = digest_of(control_plane, bob.id)
    assert await is_active(internal, digest)
    disabled = await change(root, bob.id, disabled=True)
    assert disabled.json()["disabled_at"] is not None
    for headers in (bob.bearer, {"X-API-Key": key["key"]}):
        assert (await api.get("/api/v1/auth/me", headers=headers)).status_code == 401
    # What the gateway asks within five seconds.
    assert not await is_active(internal, digest)
    refresh = await api.post("/api/v1/auth/refresh", json={"refresh_token": bob.refresh_token})
    assert refresh.status_code == 401
    credentials = {"email": bob.email, "password": PASSWORD}
    refused = await api.post("/api/v1/auth/login", json=credentials)
    assert (refused.status_code, "disabled" in refused.json()["detail"]) == (403, True)
    wrong = await api.post("/api/v1/auth/login", json=credentials | {"password": "wrong"})
    assert wrong.json()["detail"] == "Wrong e-mail address or password.", "only its owner learns of it"
    assert (await change(root, bob.id, disabled=False)).json()["disabled_at"] is None
    await log_in(api, bob.email)
    assert await is_active(internal, digest)
    assert (await api.get("/api/v1/auth/me", headers={"X-API-Key": key["key"]})).status_code == 200
    assert (await api.get("/api/v1/auth/me", headers=bob.bearer)).status_code == 401, "that session has ended"
    (entry,) = entries(control_plane, "user.disable")
    assert (entry.actor_id, entry.target) == (root.id, f"user:{bob.id}")
    assert entry.detail == {"disabled": True, "before": {"disabled": False}}
    assert len(entries(control_plane, "user.enable")) == 1


async def test_a_leavers_links_invitations_and_jobs_end_with_the_account(
    api: httpx.AsyncClient, root: Person, ada: Person, bob: Person, control_plane: ControlPlane
) -> None:
    make_admin(control_plane, ada)
    invite = (await api.post("/api/v1/admin/invites", headers=ada.bearer, json={})).json()
    link = (await api.post(f"{USERS}/{bob.id}/password-link", headers=ada.bearer)).json()
    with control_plane.context.database.transaction() as session:
        session.add(
            BatchJob(owner_id=ada.id, model_id="m", version="v1", input_format="csv", output_format="csv")
        )
    assert (await change(root, ada.id, disabled=True)).status_code == 200
    assert count(control_plane, Invite) == count(control_plane, PasswordLink) == 0
    used = await api.post("/api/v1/auth/password", json={"token": link["token"], "password": "An0ther-One"})
    assert used.status_code == 403
    with control_plane.context.database.transaction(read_only=True) as session:
        job = session.scalars(select(BatchJob)).one()
        assert (job.state, job.cancel_requested) == ("cancelled", True)
        assert "was disabled" in job.message
    withdrawn = entries(control_plane, "invite.delete")
    assert [entry.target for entry in withdrawn] == [f"invite:{invite['id']}"]


@pytest.mark.parametrize("change_of_maker", [{"is_admin": False}, {"disabled_at": utc_now()}])
async def test_what_is_made_while_its_maker_loses_the_role_is_worth_nothing(
    api: httpx.AsyncClient,
    root: Person,
    ada: Person,
    bob: Person,
    control_plane: ControlPlane,
    change_of_maker: dict[str, Any],
) -> None:
    """As if it was committed just after the change, which so did not find it."""
    make_admin(control_plane, ada)
    link = (await api.post(f"{USERS}/{bob.id}/password-link", headers=ada.bearer)).json()
    with control_plane.context.database.transaction() as session:
        session.execute(update(User).where(User.id == ada.id).values(**change_of_maker))
    used = await api.post("/api/v1/auth/password", json={"token": link["token"], "password": "An0ther-One"})
    assert used.status_code == 403


async def test_administrators_are_made_and_unmade(
    api: httpx.AsyncClient, root: Person, bob: Person, control_plane: ControlPlane
) -> None:
    assert (await change(root, bob.id, is_admin=True)).json()["is_admin"]
    assert (await api.get(USERS, headers=bob.bearer)).status_code == 200
    assert not (await change(bob, root.id, is_admin=False)).json()["is_admin"]
    assert (await api.get(USERS, headers=root.bearer)).status_code == 403
    assert (await api.get("/api/v1/auth/me", headers=root.bearer)).json()["is_admin"] is False
    assert [entry.target for entry in entries(control_plane, "user.promote")] == [f"user:{bob.id}"]
    (demoted,) = entries(control_plane, "user.demote")
    assert (demoted.actor_id, demoted.detail["is_admin"]) == (bob.id, False)


async def test_what_is_so_already_changes_nothing(
    root: Person, bob: Person, control_plane: ControlPlane
) -> None:
    for body in ({"disabled": False}, {"is_admin": False}, {"max_models": None}, {}):
        assert (await change(root, bob.id, **body)).status_code == 200
    for action in ("user.enable", "user.demote", "user.limits"):
        assert entries(control_plane, action) == []


@pytest.mark.parametrize("body", [{"is_admin": None}, {"disabled": None}, {"email": "x@example.com"}])
async def test_a_change_that_makes_no_sense_is_refused(
    root: Person, bob: Person, body: dict[str, Any]
) -> None:
    assert (await change(root, bob.id, **body)).status_code == 422


@pytest.mark.parametrize("body", [{"is_admin": False}, {"disabled": True}])
async def test_an_administrator_cannot_lock_himself_out(
    root: Person, ada: Person, control_plane: ControlPlane, body: dict[str, Any]
) -> None:
    make_admin(control_plane, ada)
    refused = await change(root, root.id, **body)
    assert (refused.status_code, "another administrator" in refused.json()["detail"]) == (409, True)
    assert (await delete(root, root.id)).status_code == 409
    assert (await root.api.get(USERS, headers=root.bearer)).status_code == 200


async def test_one_administrator_who_is_enabled_always_stays(
    api: httpx.AsyncClient, root: Person, ada: Person, control_plane: ControlPlane
) -> None:
    """A disabled one is none: the other must not go."""
    make_admin(control_plane, ada)
    assert (await change(root, ada.id, disabled=True)).status_code == 200
    end = {"current_password": PASSWORD}
    refused = await api.post("/api/v1/auth/me/delete", headers=root.bearer, json=end)
    assert (refused.status_code, "only administrator" in refused.json()["detail"]) == (409, True)
    assert (await change(root, ada.id, disabled=False)).status_code == 200
    assert (await api.post("/api/v1/auth/me/delete", headers=root.bearer, json=end)).status_code == 204
    assert count(control_plane, User) == 1


async def test_an_account_is_deleted_with_what_belongs_to_it(
    api: httpx.AsyncClient, root: Person, bob: Person, control_plane: ControlPlane
) -> None:
    key = await bob.make_key()
    assert (await delete(root, bob.id)).status_code == 204
    assert (await delete(root, bob.id)).status_code == 404
    assert (await api.get(f"{USERS}/{bob.id}", headers=root.bearer)).status_code == 404
    for headers in (bob.bearer, {"X-API-Key": key["key"]}):
        assert (await api.get("/api/v1/auth/me", headers=headers)).status_code == 401
    assert count(control_plane, ApiKey) == 0
    assert count(control_plane, RefreshToken) == 1, "the administrator's"
    (entry,) = entries(control_plane, "user.delete")
    assert entry.detail == {"email": bob.email, "full_name": None, "is_admin": False}
    # Its address is free again.
    await register(api, bob.email)


@pytest.mark.parametrize("user_id", ["nobody", "%00"])
async def test_of_an_account_that_is_not_there_nothing_is_done(root: Person, user_id: str) -> None:
    for call in (change(root, user_id, disabled=True), delete(root, user_id)):
        assert (await call).status_code == 404
    for what in ("password-link", "transfer"):
        path, body = f"{USERS}/{user_id}/{what}", {"to": root.email} if what == "transfer" else {}
        assert (await root.api.post(path, headers=root.bearer, json=body)).status_code == 404


async def test_users_are_found_by_their_address_in_every_spelling(
    api: httpx.AsyncClient, root: Person, bob: Person
) -> None:
    found = await api.get(USERS, headers=root.bearer, params={"email": "BOB@Example.com"})
    assert [user["id"] for user in found.json()["items"]] == [bob.id]
    for address in ("nobody@example.com", "no address", "a\0b"):
        found = await api.get(USERS, headers=root.bearer, params={"email": address})
        assert found.json()["items"] == []


# What gateways hear


async def ended_at(plane: ControlPlane, user_id: str) -> float:
    value = await plane.context.store.get(tokens_ended_mark(user_id))
    return float(value or 0)


@pytest.mark.parametrize("way", ["disable", "demote", "delete"])
async def test_gateways_hear_since_when_a_users_tokens_do_not_count(
    root: Person, ada: Person, control_plane: ControlPlane, way: str
) -> None:
    make_admin(control_plane, ada)
    begun = utc_now().timestamp()
    calls = {
        "disable": lambda: change(root, ada.id, disabled=True),
        "demote": lambda: change(root, ada.id, is_admin=False),
        "delete": lambda: delete(root, ada.id),
    }
    assert (await calls[way]()).is_success
    assert begun < await ended_at(control_plane, ada.id) <= utc_now().timestamp()


async def test_what_takes_nothing_away_ends_no_token(
    root: Person, bob: Person, control_plane: ControlPlane
) -> None:
    for body in ({"is_admin": True}, {"disabled": False}, {"max_models": 3}):
        assert (await change(root, bob.id, **body)).status_code == 200
    assert await ended_at(control_plane, bob.id) == 0


async def test_gateways_hear_again_of_those_whose_tokens_may_not_have_expired(
    root: Person, ada: Person, bob: Person, control_plane: ControlPlane
) -> None:
    """The store has forgotten them, and the accounts may be gone."""
    assert (await delete(root, ada.id)).status_code == 204
    changed = {"password": "An0ther-Secret", "current_password": PASSWORD}
    assert (await bob.api.patch("/api/v1/auth/me", headers=bob.bearer, json=changed)).status_code == 200
    services, store = control_plane.accounts, control_plane.context.store
    for user_id in (ada.id, bob.id):
        await store.delete(tokens_ended_mark(user_id))
    await ended.report_recent(services)
    assert await ended_at(control_plane, ada.id) > 0
    assert await ended_at(control_plane, bob.id) > 0
    assert await ended_at(control_plane, root.id) == 0
    with control_plane.context.database.transaction() as session:
        session.execute(update(AuditEntry).values(at=utc_now() - timedelta(hours=1)))
    await store.delete(tokens_ended_mark(ada.id))
    await ended.report_recent(services)
    assert await ended_at(control_plane, ada.id) == 0, "its tokens have expired"


async def test_what_a_store_forgets_is_reported_again(
    root: Person, bob: Person, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended, "_AGAIN_SECONDS", 0.01)
    assert (await change(root, bob.id, disabled=True)).status_code == 200
    async with working((lambda: ended.keep_reporting(control_plane.accounts),)):
        for _ in range(2):
            await control_plane.context.store.delete(tokens_ended_mark(bob.id))
            async with asyncio.timeout(180):
                while not await ended_at(control_plane, bob.id):  # noqa: ASYNC110
                    await asyncio.sleep(0.005)


async def test_a_login_that_its_accounts_end_overtakes_has_an_older_token(
    bob: Person, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gateways compare when the token was issued with when the user's tokens ended."""
    opened_at: list[float] = []

    def slow_open(*args: Any) -> Any:
        opened_at.append(utc_now().timestamp())
        return open_family(*args)

    open_family = api_sessions.open_family
    monkeypatch.setattr(api_sessions, "open_family", slow_open)
    pair = await log_in(bob.api, bob.email)
    claims = jwt.decode(pair["access_token"], options={"verify_signature": False})
    assert claims["iat"] <= opened_at[0]


# Links for a new password


async def make_link(admin: Person, user_id: str, **body: Any) -> dict[str, Any]:
    response = await admin.api.post(f"{USERS}/{user_id}/password-link", headers=admin.bearer, json=body)
    assert response.status_code == 201, response.text
    assert response.headers["Cache-Control"] == "no-store"
    made: dict[str, Any] = response.json()
    return made


async def use_link(api: httpx.AsyncClient, token: str, password: str = "An0ther-Secret") -> httpx.Response:
    return await api.post("/api/v1/auth/password", json={"token": token, "password": password})


async def test_a_link_sets_a_password_once_and_ends_all_sessions(
    api: httpx.AsyncClient, root: Person, bob: Person, control_plane: ControlPlane
) -> None:
    key = await bob.make_key()
    link = await make_link(root, bob.id)
    assert link["url"].endswith(f"/ui/password#{link['token']}"), "behind #: no server is sent it"
    assert (await use_link(api, link["token"])).status_code == 204
    await log_in(api, bob.email, "An0ther-Secret")
    old = await api.post("/api/v1/auth/login", json={"email": bob.email, "password": PASSWORD})
    assert old.status_code == 401
    assert (await api.get("/api/v1/auth/me", headers=bob.bearer)).status_code == 401
    assert (await api.get("/api/v1/auth/me", headers={"X-API-Key": key["key"]})).status_code == 200
    assert await ended_at(control_plane, bob.id) > 0
    again = await use_link(api, link["token"], "Yet-An0ther")
    assert (again.status_code, "used or expired" in again.json()["detail"]) == (403, True)
    trail = (await api.get("/api/v1/audit?all=true", headers=root.bearer)).json()["items"]
    assert {"password_link.create", "user.set_password"} <= {each["action"] for each in trail}
    assert {each["target"] for each in trail if "password" in each["action"]} == {f"user:{bob.id}"}


async def test_a_link_expires_and_the_next_one_takes_its_place(
    api: httpx.AsyncClient, root: Person, bob: Person, control_plane: ControlPlane
) -> None:
    first, second = await make_link(root, bob.id), await make_link(root, bob.id, hours=1)
    assert second["expires_at"] < first["expires_at"]
    assert (await use_link(api, first["token"])).status_code == 403
    with control_plane.context.database.transaction() as session:
        session.execute(update(PasswordLink).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert (await use_link(api, second["token"])).status_code == 403
    await log_in(api, bob.email)


async def test_a_password_that_the_user_sets_alone_ends_the_link(
    api: httpx.AsyncClient, root: Person, bob: Person
) -> None:
    link = await make_link(root, bob.id)
    changed = {"password": "An0ther-Secret", "current_password": PASSWORD}
    assert (await api.patch("/api/v1/auth/me", headers=bob.bearer, json=changed)).status_code == 200
    assert (await use_link(api, link["token"], "Yet-An0ther")).status_code == 403


async def test_a_weak_password_uses_no_link_up(api: httpx.AsyncClient, root: Person, bob: Person) -> None:
    link = await make_link(root, bob.id)
    for weak, rule in (("short", "at least 8"), ("12-bob@example.com", "e-mail address")):
        refused = await use_link(api, link["token"], weak)
        assert (refused.status_code, rule in refused.json()["detail"]) == (422, True)
        assert weak not in refused.text
    assert (await use_link(api, link["token"])).status_code == 204


async def test_a_disabled_account_gets_no_link_and_its_last_one_is_dead(
    api: httpx.AsyncClient, root: Person, bob: Person
) -> None:
    link = await make_link(root, bob.id)
    await change(root, bob.id, disabled=True)
    assert (await use_link(api, link["token"])).status_code == 403
    refused = await api.post(f"{USERS}/{bob.id}/password-link", headers=root.bearer, json={})
    assert (refused.status_code, "enable it" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize("hours", [0, 169, "soon"])
async def test_a_link_lives_a_week_at_most(root: Person, bob: Person, hours: Any) -> None:
    path = f"{USERS}/{bob.id}/password-link"
    refused = await root.api.post(path, headers=root.bearer, json={"hours": hours})
    assert refused.status_code == 422


async def test_a_links_secret_and_the_password_are_stored_and_logged_nowhere(
    api: httpx.AsyncClient,
    root: Person,
    bob: Person,
    control_plane: ControlPlane,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    link = await make_link(root, bob.id)
    with control_plane.context.database.transaction(read_only=True) as session:
        row = session.scalars(select(PasswordLink)).one()
        stored = json.dumps(vars(row), default=str)
    assert link["token"] not in stored
    assert (await use_link(api, f"{link['token']}x")).status_code == 403
    assert (await use_link(api, link["token"])).status_code == 204
    with control_plane.context.database.transaction(read_only=True) as session:
        trail = " ".join(str(vars(entry)) for entry in session.scalars(select(AuditEntry)))
    written = trail + caplog.text + "".join(capsys.readouterr())
    for secret in (link["token"], "An0ther-Secret"):
        assert secret not in written


# One's own account


async def change_own(person: Person, **body: Any) -> httpx.Response:
    return await person.api.patch("/api/v1/auth/me", headers=person.bearer, json=body)


async def test_an_address_changes_with_the_password_alone(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    for given, field in (({}, "current_password"), ({"current_password": "wrong"}, "current_password")):
        refused = await change_own(ada, email="countess@example.com", **given)
        assert refused.status_code == 422
        assert [error["field"] for error in refused.json()["errors"]] == [field]
    done = await change_own(ada, email="Countess@Example.com", current_password=PASSWORD)
    assert done.json()["email"] == "countess@example.com"
    await log_in(api, "countess@example.com")
    gone = await api.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
    assert gone.status_code == 401
    assert (await api.get("/api/v1/auth/me", headers=ada.bearer)).status_code == 200, "no session ends"
    (entry,) = entries(control_plane, "user.change")
    assert entry.detail == {
        "changed": ["email"],
        "email": "countess@example.com",
        "before": {"email": "ada@example.com"},
    }


async def test_an_address_that_is_taken_or_none_is_refused(
    api: httpx.AsyncClient, ada: Person, bob: Person
) -> None:
    taken = await change_own(ada, email="BOB@example.com", current_password=PASSWORD)
    assert (taken.status_code, "is registered already" in taken.json()["detail"]) == (409, True)
    for address in ("no address", None):
        assert (await change_own(ada, email=address, current_password=PASSWORD)).status_code == 422
    assert (await api.get("/api/v1/auth/me", headers=ada.bearer)).json()["email"] == ada.email


async def test_addresses_are_tried_out_no_faster_than_by_registering(sqlite_url: str, tmp_path: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, limit_register="2/hour")
    async with serving(plane) as api:
        ada = await register(api)
        taken = [await change_own(ada, email=ada.email, current_password=PASSWORD) for _ in range(2)]
        named = await change_own(ada, full_name="Ada")
    assert [call.status_code for call in taken] == [200, 429]
    assert named.status_code == 200


async def test_an_owner_deletes_the_account_with_the_password_alone(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    path = "/api/v1/auth/me/delete"
    refused = await api.post(path, headers=ada.bearer, json={"current_password": "wrong"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "current_password")
    assert (await api.post(path, headers=ada.bearer, json={})).status_code == 422
    done = await api.post(path, headers=ada.bearer, json={"current_password": PASSWORD})
    assert done.status_code == 204
    assert (await api.get("/api/v1/auth/me", headers=ada.bearer)).status_code == 401
    assert count(control_plane, User) == 0
    (entry,) = entries(control_plane, "user.delete")
    assert (entry.actor_id, entry.target) == (ada.id, f"user:{ada.id}")


async def test_guessing_at_the_own_password_is_limited_here_too(sqlite_url: str, tmp_path: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, limit_login="2/minute")
    async with serving(plane) as api:
        ada = await register(api)
        wrong = {"current_password": "wrong"}
        calls = [await api.post("/api/v1/auth/me/delete", headers=ada.bearer, json=wrong) for _ in range(3)]
    assert [call.status_code for call in calls] == [422, 422, 429]
