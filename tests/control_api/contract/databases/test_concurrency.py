"""What users do at the same time, on both databases: one wins, the others get an error, nobody gets a 500."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest
from modelport_control_api.accounts.api_keys import service as api_keys
from modelport_control_api.accounts.api_keys.schemas import NewKey
from modelport_control_api.accounts.api_keys.service import ApiKeyLimitReached
from modelport_control_api.accounts.auth import invites
from modelport_control_api.accounts.auth.errors import InviteInvalid
from modelport_control_api.accounts.tables import User
from modelport_control_api.identity import SCOPES, Caller, Origin, Principal
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.registry import service
from modelport_control_api.registry.quotas import Limits, QuotaReached
from modelport_control_api.registry.service import NewVersion
from sqlalchemy import func, select, update

from tests.support.control_api import PASSWORD, Person, log_in


async def statuses(*calls: Any) -> Counter[int]:
    responses: list[httpx.Response] = await asyncio.gather(*calls)
    return Counter(response.status_code for response in responses)


async def test_of_simultaneous_registrations_of_one_address_exactly_one_succeeds(
    api: httpx.AsyncClient, control_plane: ControlPlane
) -> None:
    spellings = ["eve@example.com", "Eve@Example.com", "EVE@EXAMPLE.COM", "eve@example.COM"] * 2
    seen = await statuses(
        *(
            api.post("/api/v1/auth/register", json={"email": email, "password": PASSWORD})
            for email in spellings
        )
    )
    assert seen == {201: 1, 409: 7}
    with control_plane.context.database.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1


async def test_simultaneous_refreshes_give_the_same_pair(api: httpx.AsyncClient, ada: Person) -> None:
    body = {"refresh_token": ada.refresh_token}
    responses = await asyncio.gather(*(api.post("/api/v1/auth/refresh", json=body) for _ in range(6)))
    assert Counter(response.status_code for response in responses) == {200: 6}
    pair = responses[0].json()
    assert [response.json() for response in responses] == [pair] * 6
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    assert (await api.get("/api/v1/auth/me", headers=bearer)).status_code == 200


async def test_concurrent_writers_and_readers_do_not_fail(api: httpx.AsyncClient, ada: Person) -> None:
    def make() -> Any:
        return api.post("/api/v1/api-keys", headers=ada.bearer, json={"name": "ci"})

    def read() -> Any:
        return api.get("/api/v1/api-keys", headers=ada.bearer)

    seen = await statuses(*(make() for _ in range(20)), *(read() for _ in range(20)))
    assert seen == {201: 20, 200: 20}


async def test_simultaneous_rotations_leave_one_working_key(api: httpx.AsyncClient, ada: Person) -> None:
    key = await ada.make_key()
    rotated = await asyncio.gather(
        *(api.post(f"/api/v1/api-keys/{key['id']}/rotate", headers=ada.bearer) for _ in range(4))
    )
    keys = [response.json()["key"] for response in rotated]
    seen = await statuses(*(api.get("/api/v1/auth/me", headers={"X-API-Key": text}) for text in keys))
    assert seen == {200: 1, 401: 3}


@pytest.mark.parametrize("many", [8])
async def test_simultaneous_logins_all_succeed(api: httpx.AsyncClient, ada: Person, many: int) -> None:
    pairs = await asyncio.gather(*(log_in(api, ada.email) for _ in range(many)))
    assert len({pair["refresh_token"] for pair in pairs}) == many


async def test_of_simultaneous_uses_of_one_invitation_one_gets_in(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    with control_plane.context.database.transaction() as session:
        session.execute(update(User).values(is_admin=True))
        _, token = invites.create(session, _principal(ada), ORIGIN, note=None, life=timedelta(days=1))
    won = Counter[bool]()

    def use() -> None:
        try:
            with control_plane.context.database.transaction() as session:
                invites.use(session, token, ada.id)
            won[True] += 1
        except InviteInvalid:
            won[False] += 1

    await asyncio.gather(*(asyncio.to_thread(use) for _ in range(6)))
    assert won == {True: 1, False: 5}


async def test_simultaneous_uploads_find_the_last_place_once(
    ada: Person, control_plane: ControlPlane
) -> None:
    caller = Caller(_principal(ada), ORIGIN)
    version = NewVersion("sklearn", "0" * 64, 1000, None)
    outcomes = Counter[str]()

    def upload() -> None:
        try:
            with control_plane.context.database.transaction() as session:
                limits = Limits(max_models=3, max_bytes=2500)
                service.create_model(
                    session, caller, name="Iris", description="", version=version, limits=limits
                )
            outcomes["kept"] += 1
        except QuotaReached:
            outcomes["refused"] += 1

    await asyncio.gather(*(asyncio.to_thread(upload) for _ in range(6)))
    assert outcomes == {"kept": 2, "refused": 4}


async def test_simultaneous_keys_find_the_last_place_once(ada: Person, control_plane: ControlPlane) -> None:
    outcomes = Counter[str]()

    def make() -> None:
        try:
            with control_plane.context.database.transaction() as session:
                api_keys.create(session, _principal(ada), NewKey(name="ci"), ORIGIN, most=2)
            outcomes["made"] += 1
        except ApiKeyLimitReached:
            outcomes["refused"] += 1

    await asyncio.gather(*(asyncio.to_thread(make) for _ in range(6)))
    assert outcomes == {"made": 2, "refused": 4}


ORIGIN = Origin("r", "127.0.0.1")


def _principal(person: Person) -> Principal:
    return Principal(person.id, person.email, True, frozenset(SCOPES), "session", "s")
