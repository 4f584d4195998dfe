"""Who may do what with the pages: nobody, ended and expired sessions, forged forms, other users' things."""

import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute
from modelport_control_api.accounts.sessions.web_sessions import IDLE_LIFE
from modelport_control_api.accounts.tables import WebSession
from modelport_control_api.db.base import utc_now
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.ui import browser, signed_in
from sqlalchemy import update

from tests.support.control_api import PASSWORD, build_control_plane

HERE = "http://localhost:8000"
OURS = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}
OPEN = {
    "GET /ui",
    *(f"{method} /ui/{page}" for method in ("GET", "POST") for page in ("login", "register", "password")),
}


@asynccontextmanager
async def at(plane: ControlPlane, address: str = HERE) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(plane.public, client=("127.0.0.1", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=address) as client:
        yield client


@pytest.fixture
async def web(control_plane: ControlPlane) -> AsyncIterator[httpx.AsyncClient]:
    async with at(control_plane) as client:
        yield client


@pytest.fixture
async def other(control_plane: ControlPlane) -> AsyncIterator[httpx.AsyncClient]:
    async with at(control_plane) as client:
        await sign_up(client)
        yield client


async def sign_up(client: httpx.AsyncClient) -> str:
    email = f"{uuid4().hex[:12]}@example.com"
    response = await client.post("/ui/register", data={"email": email, "password": PASSWORD}, headers=OURS)
    assert response.status_code == 303, response.text
    return email


def token_of(client: httpx.AsyncClient) -> str:
    return signed_in.issue(client.cookies["modelport"])


async def post(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    return await client.post(path, data={"csrf_token": token_of(client), **form}, headers=OURS)


def calls(plane: ControlPlane) -> list[tuple[str, str]]:
    """Every call of the UI that is somebody's: method and path."""
    found = [
        (method, re.sub(r"\{\w+(:path)?\}", str(uuid4()), route.path))
        for route in plane.public.routes
        if isinstance(route, APIRoute) and route.path.startswith("/ui") and "static" not in route.path
        for method in route.methods
    ]
    return [call for call in found if " ".join(call) not in OPEN]


def leads_to_sign_in(response: httpx.Response) -> bool:
    return response.status_code == 303 and response.headers["Location"].startswith("/ui/login")


async def test_without_a_session_every_call_leads_to_sign_in_from_htmx_too(
    control_plane: ControlPlane, web: httpx.AsyncClient
) -> None:
    assert len(calls(control_plane)) > 20
    for method, path in calls(control_plane):
        assert leads_to_sign_in(await web.request(method, path, headers=OURS)), (method, path)
        seen = {"HX-Request": "true", "HX-Current-URL": f"{HERE}/ui/models?q=a"}
        response = await web.request(method, path, headers=OURS | seen)
        assert response.status_code == 401, (method, path)
        assert response.headers["HX-Redirect"] == "/ui/login?next=/ui/models%3Fq%3Da"


def idle(now: Any) -> dict[str, Any]:
    return {"last_seen_at": now - IDLE_LIFE - timedelta(seconds=1)}


def too_old(now: Any) -> dict[str, Any]:
    return {"expires_at": now - timedelta(seconds=1)}


@pytest.mark.parametrize("aging", [idle, too_old])
async def test_an_expired_session_is_none(
    control_plane: ControlPlane, web: httpx.AsyncClient, aging: Callable[[Any], dict[str, Any]]
) -> None:
    await sign_up(web)
    access = (await post(web, "/ui/access-token")).json()["access_token"]
    assert (await web.get("/ui/keys")).status_code == 200
    with control_plane.context.database.transaction() as session:
        session.execute(update(WebSession).values(**aging(utc_now())))
    for method, path in calls(control_plane):
        assert leads_to_sign_in(await web.request(method, path, headers=OURS)), (method, path)
    bearer = {"Authorization": f"Bearer {access}"}
    assert (await web.get("/api/v1/auth/me", headers=bearer)).status_code == 401


async def test_signing_out_ends_the_session_everywhere(
    control_plane: ControlPlane, web: httpx.AsyncClient
) -> None:
    await sign_up(web)
    kept = web.cookies["modelport"]
    access = (await post(web, "/ui/access-token")).json()["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}
    assert (await web.get("/api/v1/auth/me", headers=bearer)).status_code == 200
    assert leads_to_sign_in(await post(web, "/ui/logout"))
    assert "modelport" not in web.cookies
    async with at(control_plane) as thief:
        thief.cookies.set("modelport", kept)
        assert leads_to_sign_in(await thief.get("/ui/keys"))
    assert (await web.get("/api/v1/auth/me", headers=bearer)).status_code == 401


async def test_a_change_without_the_sessions_csrf_token_is_refused(
    control_plane: ControlPlane, web: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    await sign_up(web)
    changes = [path for method, path in calls(control_plane) if method != "GET"]
    assert changes
    for path in changes:
        for token in ({}, {"csrf_token": token_of(other)}, {"csrf_token": "x"}):
            response = await web.post(path, data=token, headers=OURS)
            assert response.status_code == 403, path
            assert "another session" in response.text, path


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": HERE},
        {"Origin": "http://localhost:9000", "Sec-Fetch-Site": "same-origin"},
        {},
    ],
)
async def test_a_change_from_another_site_is_refused_even_with_a_token(
    web: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await sign_up(web)
    form = {"csrf_token": token_of(web), "name": "stolen", "scopes": "predict"}
    assert (await web.post("/ui/keys/new", data=form, headers=headers)).status_code == 403
    login = {"email": "eve@example.com", "password": PASSWORD}
    assert (await web.post("/ui/login", data=login, headers=headers)).status_code == 403
    assert "stolen" not in (await web.get("/ui/keys")).text


async def test_the_cookie_opens_no_call_of_the_api(web: httpx.AsyncClient) -> None:
    await sign_up(web)
    for path in ("/api/v1/auth/me", "/api/v1/models", "/api/v1/api-keys"):
        assert (await web.get(path)).status_code == 401


async def test_someone_elses_keys_and_sessions_do_not_exist(
    control_plane: ControlPlane, web: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    await sign_up(web)
    assert (await post(web, "/ui/keys/new", name="mine", scopes="predict")).status_code == 200
    key_id = re.findall(r"revoke-([0-9a-f-]{36})", (await web.get("/ui/keys")).text)[0]
    assert "mine" not in (await other.get("/ui/keys")).text
    for call in ("rotate", "revoke"):
        assert (await post(other, f"/ui/keys/{key_id}/{call}")).status_code == 404
    digest = hashlib.sha256(web.cookies["modelport"].encode()).hexdigest()
    with control_plane.context.database.transaction() as session:
        hers = session.query(WebSession).filter_by(token_sha256=digest).one().id
    assert (await post(other, f"/ui/settings/sessions/{hers}/end")).status_code == 404
    assert (await web.get("/ui/keys")).status_code == 200


async def test_pages_of_administrators_are_theirs(
    control_plane: ControlPlane, web: httpx.AsyncClient
) -> None:
    await sign_up(web)
    for method, path in calls(control_plane):
        if path.startswith("/ui/admin"):
            assert (await web.request(method, path)).status_code == 403, path


async def test_signing_in_ends_what_the_browser_had_before(
    control_plane: ControlPlane, web: httpx.AsyncClient
) -> None:
    email = await sign_up(web)
    before = web.cookies["modelport"]
    form = {"email": email, "password": PASSWORD, "next": "/ui/keys"}
    response = await web.post("/ui/login", data=form, headers=OURS)
    assert response.headers["Location"] == "/ui/keys"
    assert web.cookies["modelport"] != before
    async with at(control_plane) as old:
        old.cookies.set("modelport", before)
        assert leads_to_sign_in(await old.get("/ui/keys"))


async def test_cookies_are_secure_over_https_and_refused_in_clear(control_plane: ControlPlane) -> None:
    body = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD}
    # As behind a proxy that takes the TLS off: only the Origin tells of it.
    async with at(control_plane, "http://models.example.com") as client:
        in_clear = await client.post(
            "/ui/register", data=body, headers={"Origin": "http://models.example.com"}
        )
        assert in_clear.status_code == 403
        assert "plain http" in in_clear.text
        client.cookies.set("modelport", "anything")
        over_tls = await client.post(
            "/ui/register", data=body, headers={"Origin": "https://models.example.com"}
        )
    cookie = over_tls.headers["Set-Cookie"]
    assert cookie.startswith("__Host-modelport=")
    for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    "there",
    [
        "https://evil.example",
        "//evil.example",
        "/ui//evil.example",
        "/ui/../api",
        "/\\evil",
        "/docs",
        "/ui/\n",
    ],
)
def test_after_signing_in_nobody_is_led_elsewhere(there: str) -> None:
    led = browser.safe_next(there)
    assert led.startswith("/ui/")
    assert "//" not in led
    assert "\n" not in led


async def test_guessing_at_the_form_is_limited_like_at_the_api(sqlite_url: str, tmp_path: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, limit_login="3/minute")
    form = {"email": "ada@example.com", "password": "wrong"}
    async with at(plane) as web:
        answers = [await web.post("/ui/login", data=form, headers=OURS) for _ in range(4)]
    assert [response.status_code for response in answers] == [401, 401, 401, 429]
    assert answers[3].headers["Retry-After"]
    assert "Sign in" in answers[3].text


async def test_a_key_too_many_is_refused_at_the_form_like_at_the_api(sqlite_url: str, tmp_path: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, user_max_api_keys=1)
    async with at(plane) as web:
        await sign_up(web)
        assert (await post(web, "/ui/keys/new", name="first", scopes="predict")).status_code == 200
        refused = await post(web, "/ui/keys/new", name="one-too-many", scopes="predict")
        assert refused.status_code == 422
        assert "holds 1 of the 1 API keys" in refused.text
        assert 'value="one-too-many"' in refused.text
        assert "one-too-many" not in (await web.get("/ui/keys")).text


async def test_passwords_and_session_tokens_are_not_kept(database_url: str, tmp_path: Path) -> None:
    """On both databases: sign in, be seen, be listed, end the others."""
    migrate.upgrade(database_url)
    plane = build_control_plane(database_url, tmp_path)
    async with at(plane) as web, at(plane) as second:
        email = await sign_up(web)
        login = {"email": email, "password": PASSWORD}
        await second.post("/ui/login", data=login, headers=OURS)
        await second.post("/api/v1/auth/login", json=login)
        page = (await web.get("/ui/settings/sessions")).text
        assert page.count('/end"') == 2
        with plane.context.database.transaction() as session:
            rows = " ".join(str(vars(row)) for row in session.query(WebSession).all())
        assert web.cookies["modelport"] not in rows
        assert (await post(web, "/ui/settings/sessions/end-others")).status_code == 303
        assert leads_to_sign_in(await second.get("/ui/keys"))
        assert "No program is logged in" in (await web.get("/ui/settings/sessions")).text
    plane.context.database.close()


@pytest.mark.parametrize("ticked", [False, True])
async def test_a_new_password_revokes_api_keys_where_the_box_is_ticked(
    web: httpx.AsyncClient, ticked: bool
) -> None:
    await sign_up(web)
    assert (await post(web, "/ui/keys/new", name="laptop", scopes="predict")).status_code == 200
    assert 'name="revoke_api_keys"' in (await web.get("/ui/settings")).text
    box = {"revoke_api_keys": "true"} if ticked else {}
    form = {"current_password": PASSWORD, "password": "An0ther-Secret"}
    assert (await post(web, "/ui/settings/password", **form, **box)).status_code == 303
    assert ("laptop" in (await web.get("/ui/keys")).text) != ticked
