"""Accounts in the hands of administrators, on both databases, also when two act at the same time."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from modelport_control_api.accounts.tables import PasswordLink, User
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.registry.tables import ModelRow, VersionRow
from sqlalchemy import func, select

from tests.support.control_api import PASSWORD, Person, log_in, make_admin, register

USERS = "/api/v1/admin/users"


def admins(plane: ControlPlane) -> int:
    with plane.context.database.transaction(read_only=True) as session:
        working = select(func.count()).where(User.is_admin, User.disabled_at.is_(None))
        return session.scalar(working) or 0


async def statuses(*calls: Any) -> Counter[int]:
    responses: list[httpx.Response] = await asyncio.gather(*calls)
    return Counter(response.status_code for response in responses)


def change(admin: Person, other: Person, **body: Any) -> Any:
    return admin.api.patch(f"{USERS}/{other.id}", headers=admin.bearer, json=body)


def delete(admin: Person, other: Person, **query: str) -> Any:
    return admin.api.delete(f"{USERS}/{other.id}", headers=admin.bearer, params=query)


def delete_own(person: Person) -> Any:
    body = {"current_password": PASSWORD}
    return person.api.post("/api/v1/auth/me/delete", headers=person.bearer, json=body)


@pytest.mark.parametrize("way", ["demote", "disable", "delete"])
async def test_of_two_administrators_who_remove_each_other_one_stays(
    api: httpx.AsyncClient, ada: Person, bob: Person, control_plane: ControlPlane, way: str
) -> None:
    make_admin(control_plane, ada, bob)
    ways = {
        "demote": lambda one, other: change(one, other, is_admin=False),
        "disable": lambda one, other: change(one, other, disabled=True),
        "delete": delete,
    }
    seen = await statuses(ways[way](ada, bob), ways[way](bob, ada))
    assert admins(control_plane) == 1
    assert sum(count for status, count in seen.items() if status < 300) == 1, seen
    # The other came too late: to be let in, or to be an administrator still.
    assert set(seen) - {200, 204} <= {401, 403}, seen


async def test_of_administrators_who_all_leave_at_once_one_stays(
    api: httpx.AsyncClient, control_plane: ControlPlane
) -> None:
    people = [await register(api, f"admin-{number}@example.com") for number in range(4)]
    make_admin(control_plane, *people)
    assert await statuses(*map(delete_own, people)) == {204: 3, 409: 1}
    assert admins(control_plane) == 1


async def test_of_simultaneous_uses_of_a_link_one_sets_the_password(
    api: httpx.AsyncClient, ada: Person, bob: Person, control_plane: ControlPlane
) -> None:
    make_admin(control_plane, ada)
    made = await api.post(f"{USERS}/{bob.id}/password-link", headers=ada.bearer)
    passwords = [f"An0ther-Secret-{number}" for number in range(4)]
    responses = await asyncio.gather(
        *(
            api.post("/api/v1/auth/password", json={"token": made.json()["token"], "password": password})
            for password in passwords
        )
    )
    assert Counter(response.status_code for response in responses) == {204: 1, 403: 3}
    (won,) = (
        password
        for password, response in zip(passwords, responses, strict=True)
        if response.status_code == 204
    )
    await log_in(api, bob.email, won)


async def test_of_links_that_are_made_at_once_one_works(
    api: httpx.AsyncClient, ada: Person, bob: Person, control_plane: ControlPlane
) -> None:
    make_admin(control_plane, ada)
    path = f"{USERS}/{bob.id}/password-link"
    assert await statuses(*(api.post(path, headers=ada.bearer) for _ in range(4))) == {201: 4}
    with control_plane.context.database.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(PasswordLink)) == 1


async def test_of_simultaneous_changes_to_one_address_one_gets_it(
    api: httpx.AsyncClient, ada: Person, bob: Person
) -> None:
    body = {"email": "same@example.com", "current_password": PASSWORD}
    seen = await statuses(
        *(api.patch("/api/v1/auth/me", headers=person.bearer, json=body) for person in (ada, bob))
    )
    assert seen == {200: 1, 409: 1}


async def test_a_login_and_the_end_of_its_account_at_once_leave_no_session(
    api: httpx.AsyncClient, ada: Person, bob: Person, control_plane: ControlPlane
) -> None:
    make_admin(control_plane, ada)
    credentials = {"email": bob.email, "password": PASSWORD}
    logins = [api.post("/api/v1/auth/login", json=credentials) for _ in range(4)]
    responses: list[httpx.Response] = await asyncio.gather(change(ada, bob, disabled=True), *logins)
    assert {response.status_code for response in responses[1:]} <= {200, 401, 403}
    for response in responses[1:]:
        if response.status_code == 200:
            bearer = {"Authorization": f"Bearer {response.json()['access_token']}"}
            assert (await api.get("/api/v1/auth/me", headers=bearer)).status_code == 401


async def test_an_account_comes_and_goes_with_its_models(
    api: httpx.AsyncClient, ada: Person, bob: Person, control_plane: ControlPlane
) -> None:
    """What the databases are asked in different words: rows that hang on others, and locks."""
    make_admin(control_plane, ada)
    carol = await register(api, "carol@example.com")
    for owner, id_ in ((bob, "iris-aaaaa"), (bob, "wine-bbbbb"), (carol, "last-ccccc")):
        with control_plane.context.database.transaction() as session:
            model = ModelRow(id=id_, owner_id=owner.id, name=id_, traffic={"v1": 100}, last_version=1)
            model.versions.append(VersionRow(number=1, framework="sklearn", sha256="0" * 64, size=10))
            session.add(model)
    await bob.make_key()
    assert (await delete(ada, bob)).status_code == 409
    assert (await delete(ada, bob, models="transfer", to=carol.email)).status_code == 204
    with control_plane.context.database.transaction(read_only=True) as session:
        assert set(session.scalars(select(ModelRow.owner_id))) == {carol.id}
    shown = (await api.get(f"{USERS}/{carol.id}", headers=ada.bearer)).json()
    assert (shown["models"], shown["bytes"]) == (3, 30)
    assert (await delete(ada, carol, models="delete")).status_code == 204
    with control_plane.context.database.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(ModelRow)) == 0
        assert set(session.scalars(select(User.id))) == {ada.id}


@pytest.mark.parametrize("way", ["disable", "delete", "change", "link"])
async def test_sessions_that_are_refreshed_while_all_of_them_end_end_too(
    api: httpx.AsyncClient, ada: Person, bob: Person, control_plane: ControlPlane, way: str
) -> None:
    """Neither waits for what the other has locked."""
    make_admin(control_plane, ada)
    pairs = [await log_in(api, bob.email) for _ in range(6)]
    end = await end_of(way, ada, bob)
    refreshes = [refresh(api, pair["refresh_token"]) for pair in pairs]
    ending, *refreshed = await asyncio.gather(end, *refreshes)
    assert ending.is_success, ending.text
    assert {response.status_code for response in refreshed} <= {200, 401}
    for response in refreshed:
        if response.status_code == 200:
            assert (await refresh(api, response.json()["refresh_token"])).status_code == 401


def refresh(api: httpx.AsyncClient, token: str) -> Any:
    return api.post("/api/v1/auth/refresh", json={"refresh_token": token})


async def end_of(way: str, admin: Person, user: Person) -> Any:
    """A call that ends all sessions of the user."""
    if way == "disable":
        return change(admin, user, disabled=True)
    if way == "delete":
        return delete(admin, user)
    if way == "change":
        body = {"email": "new@example.com", "password": "An0ther-Secret", "current_password": PASSWORD}
        return user.api.patch("/api/v1/auth/me", headers=user.bearer, json=body)
    made = await admin.api.post(f"{USERS}/{user.id}/password-link", headers=admin.bearer)
    body = {"token": made.json()["token"], "password": "An0ther-Secret"}
    return user.api.post("/api/v1/auth/password", json=body)
