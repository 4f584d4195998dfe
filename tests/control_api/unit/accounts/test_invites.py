"""Who may register: everybody, those who were invited, or nobody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_control_api.accounts.tables import Invite
from modelport_control_api.db.base import utc_now
from sqlalchemy import update

from tests.control_api.unit.models.platform import PASSWORD, Account, Platform, running_platform, settings_at

Start = Callable[[str], Awaitable[Platform]]


@pytest.fixture
async def start(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def begin(registration: str) -> Platform:
            settings = settings_at(tmp_path, sqlite_url, registration=registration)
            return await stack.enter_async_context(running_platform(settings, tmp_path))

        yield begin


async def _register(platform: Platform, name: str, **more: Any) -> httpx.Response:
    body = {"email": f"{name}@example.com", "password": PASSWORD, **more}
    async with platform.client() as http:
        return await http.post("/api/v1/auth/register", json=body)


async def _invite(root: Account, **body: Any) -> dict[str, Any]:
    made = await root.http.post("/api/v1/admin/invites", json=body)
    assert made.status_code == 201, made.text
    assert made.headers["Cache-Control"] == "no-store"
    response: dict[str, Any] = made.json()
    return response


async def _state(root: Account) -> list[str]:
    return [each["state"] for each in (await root.http.get("/api/v1/admin/invites")).json()["items"]]


async def test_closed_is_closed_to_everybody_and_the_administrator_is_there(start: Start) -> None:
    platform = await start("closed")
    root = await platform.admin()
    invite = await _invite(root)
    for more in ({}, {"invite": invite["token"]}):
        response = await _register(platform, "eve", **more)
        assert (response.status_code, "takes no registrations" in response.json()["detail"]) == (403, True)
    assert await _state(root) == ["open"]


async def test_an_invitation_lets_one_person_in_once(start: Start) -> None:
    platform = await start("invite")
    root = await platform.admin()
    assert "by invitation" in (await _register(platform, "ann")).json()["detail"]
    invite = await _invite(root, note="for Ann", days=1)
    assert invite["url"].endswith(f"/ui/register?invite={invite['token']}")
    assert (await _register(platform, "ann", invite="x" + invite["token"])).status_code == 403
    # What fails for another reason uses nothing up.
    assert (await _register(platform, "root", invite=invite["token"])).status_code == 409
    assert await _state(root) == ["open"]
    registered = await _register(platform, "ann", invite=invite["token"])
    assert registered.status_code == 201
    again = await _register(platform, "bob", invite=invite["token"])
    assert (again.status_code, "used or expired" in again.json()["detail"]) == (403, True)
    (listed,) = (await root.http.get("/api/v1/admin/invites")).json()["items"]
    assert (listed["state"], listed["used_by"]) == ("used", registered.json()["id"])
    assert "token" not in listed


async def test_who_was_not_invited_does_not_learn_who_has_an_account(start: Start) -> None:
    platform = await start("invite")
    await platform.admin()
    responses = [await _register(platform, name, invite="unknown") for name in ("root", "nobody")]
    assert [response.status_code for response in responses] == [403, 403]
    assert responses[0].json()["detail"] == responses[1].json()["detail"]


async def test_of_two_that_come_at_once_one_gets_in(start: Start) -> None:
    platform = await start("invite")
    invite = await _invite(await platform.admin())
    responses = await asyncio.gather(
        *(_register(platform, name, invite=invite["token"]) for name in ("ann", "bob", "eve"))
    )
    assert sorted(response.status_code for response in responses) == [201, 403, 403]


async def test_an_invitation_expires_and_can_be_withdrawn(start: Start) -> None:
    platform = await start("invite")
    root = await platform.admin()
    late, withdrawn = await _invite(root), await _invite(root)
    with platform.plane.context.database.transaction() as session:
        past = utc_now() - timedelta(seconds=1)
        session.execute(update(Invite).where(Invite.id == late["id"]).values(expires_at=past))
    assert sorted(await _state(root)) == ["expired", "open"]
    assert (await root.http.delete(f"/api/v1/admin/invites/{withdrawn['id']}")).status_code == 204
    for invite in (late, withdrawn):
        assert (await _register(platform, "ann", invite=invite["token"])).status_code == 403
    assert (await root.http.delete(f"/api/v1/admin/invites/{withdrawn['id']}")).status_code == 404


async def test_the_token_is_kept_as_a_hash_only(start: Start) -> None:
    platform = await start("invite")
    invite = await _invite(await platform.admin())
    with platform.plane.context.database.transaction(read_only=True) as session:
        row = session.get_one(Invite, invite["id"])
        assert invite["token"] not in {str(value) for value in vars(row).values()}


@pytest.mark.parametrize("body", [{"days": 0}, {"days": 91}, {"note": "a\nb"}, {"email": "x"}])
async def test_what_makes_no_sense_is_refused(start: Start, body: dict[str, Any]) -> None:
    root = await (await start("invite")).admin()
    assert (await root.http.post("/api/v1/admin/invites", json=body)).status_code == 422


ORIGIN = {"Origin": "http://platform"}


async def test_the_pages_say_who_may_register(start: Start) -> None:
    platform = await start("invite")
    root = await platform.admin()
    invite = await _invite(root)
    async with platform.client(**ORIGIN) as http:
        assert "/ui/register" not in (await http.get("/ui/login")).text
        without = (await http.get("/ui/register")).text
        assert "by invitation" in without
        assert "<form" not in without
        page = (await http.get("/ui/register", params={"invite": invite["token"]})).text
        assert f'name="invite" value="{invite["token"]}"' in page
        escaped = (await http.get("/ui/register", params={"invite": '"><script>'})).text
        assert "<script>" not in escaped.split("</head>")[1]
        form = {"email": "ann@example.com", "password": "short", "invite": invite["token"]}
        refused = await http.post("/ui/register", data=form)
        assert f'value="{invite["token"]}"' in refused.text, "the next try needs it too"


async def test_a_closed_platform_shows_no_form(start: Start) -> None:
    platform = await start("closed")
    async with platform.client(**ORIGIN) as http:
        page = await http.get("/ui/register")
        assert "takes no registrations" in page.text
        assert "<form" not in page.text
        form = {"email": "ann@example.com", "password": PASSWORD}
        refused = await http.post("/ui/register", data=form)
        assert refused.status_code == 403
        assert "/ui/register" not in (await http.get("/ui/login")).text
