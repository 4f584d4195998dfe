"""What every call shares: limits, headers, CORS, body size, documentation, health, audit."""

import asyncio
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from modelport_control_api.accounts.tables import AuditEntry
from modelport_control_api.process.app import ControlPlane
from modelport_http.client_address import HOW_TO_TRUST
from modelport_store.memory_store import MemoryStore
from modelport_store.metrics import LIMITS_NOT_ENFORCED
from modelport_store.store import Limit, LimitResult, StoreUnavailable
from sqlalchemy import select

from tests.support.control_api import (
    PASSWORD,
    Person,
    build_control_plane,
    client_of,
    log_in,
    register,
    serving,
)

LOGIN = "/api/v1/auth/login"
WRONG = {"email": "ada@example.com", "password": "wrong"}


class GoneStore(MemoryStore):
    async def take(self, bucket: str, limit: Limit) -> LimitResult:
        raise StoreUnavailable("gone")


async def test_registrations_are_limited_by_address(sqlite_url: str, tmp_path: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, limit_register="2/hour")
    async with serving(plane) as api, client_of(plane.public, ip="192.0.2.9") as elsewhere:
        for number in range(2):
            await register(api, f"user{number}@example.com")
        body = {"email": "three@example.com", "password": PASSWORD}
        response = await api.post("/api/v1/auth/register", json=body)
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0
        assert response.headers["RateLimit"].startswith('"register"')
        assert response.headers["RateLimit-Policy"] == '"register";q=2;w=3600'
        assert (await elsewhere.post("/api/v1/auth/register", json=body)).status_code == 201


async def test_guessing_one_account_from_many_addresses_is_limited(sqlite_url: str, tmp_path: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, limit_login_elsewhere="1/hour")
    async with serving(plane) as at_home:
        await register(at_home)
        seen = []
        for number in range(11):
            async with client_of(plane.public, ip=f"198.51.100.{number}") as api:
                seen.append((await api.post(LOGIN, json=WRONG | {"email": "Ada@Example.com"})).status_code)
        assert seen == [401] * 10 + [429]
        await log_in(at_home, "ada@example.com")


async def test_guessing_at_many_accounts_from_one_address_is_limited(sqlite_url: str, tmp_path: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, limit_login_elsewhere="3/minute")
    async with serving(plane) as api:
        bodies = [{"email": f"user{number}@example.com", "password": "wrong"} for number in range(4)]
        seen = [(await api.post(LOGIN, json=body)).status_code for body in bodies]
    assert seen == [401, 401, 401, 429]


@pytest.mark.parametrize("door", ["login", "token", "ui"])
async def test_an_outsider_cannot_lock_the_owner_out(sqlite_url: str, tmp_path: Path, door: str) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, limit_login="3/minute")

    async def log_in_by(api: httpx.AsyncClient, password: str) -> int:
        if door == "login":
            return (await api.post(LOGIN, json=WRONG | {"password": password})).status_code
        path, name = ("/api/v1/auth/token", "username") if door == "token" else ("/ui/login", "email")
        form = {name: WRONG["email"], "password": password}
        return (await api.post(path, data=form, headers={"Sec-Fetch-Site": "same-origin"})).status_code

    async with serving(plane) as api, client_of(plane.public, scheme="https", ip="198.51.100.7") as outsider:
        await register(api)
        assert [await log_in_by(outsider, "wrong") for _ in range(4)] == [401, 401, 401, 429]
        async with client_of(plane.public, scheme="https", ip="203.0.113.9") as owner:
            assert await log_in_by(owner, PASSWORD) in {200, 303}


async def test_one_outsider_does_not_use_up_the_accounts_login_limit_elsewhere(
    sqlite_url: str, tmp_path: Path
) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, limit_login_elsewhere="3/hour")
    async with serving(plane) as at_home, client_of(plane.public, ip="198.51.100.7") as outsider:
        await register(at_home)
        seen = [(await outsider.post(LOGIN, json=WRONG)).status_code for _ in range(5)]
        assert seen == [401, 401, 401, 429, 429]
        async with client_of(plane.public, ip="203.0.113.9") as owner_elsewhere:
            await log_in(owner_elsewhere, "ada@example.com")


async def test_successful_logins_are_not_counted(sqlite_url: str, tmp_path: Path) -> None:
    limits = {"limit_login": "3/minute", "limit_login_elsewhere": "3/minute"}
    async with serving(build_control_plane(sqlite_url, tmp_path, **limits)) as api:
        await register(api)
        for _ in range(8):
            await log_in(api, "ada@example.com")


async def test_guesses_made_at_once_are_counted_like_others(sqlite_url: str, tmp_path: Path) -> None:
    async with serving(build_control_plane(sqlite_url, tmp_path, limit_login="3/minute")) as api:
        responses = await asyncio.gather(*(api.post(LOGIN, json=WRONG) for _ in range(20)))
    assert sorted(response.status_code for response in responses) == [401] * 3 + [429] * 17


@pytest.mark.parametrize(("trusted", "last"), [("192.0.2.0/24", 401), ("", 429)])
async def test_forwarded_addresses_count_from_trusted_proxies_only(
    sqlite_url: str, tmp_path: Path, trusted: str, last: int
) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, limit_login="2/minute", trusted_proxies=trusted)
    async with serving(plane) as api:
        for number in range(3):
            headers = {"X-Forwarded-For": f"198.51.100.{number}"}
            response = await api.post(LOGIN, json=WRONG, headers=headers)
    assert response.status_code == last


async def test_without_a_store_users_still_log_in_and_it_is_counted(sqlite_url: str, tmp_path: Path) -> None:
    def counted() -> float:
        return LIMITS_NOT_ENFORCED.labels("login")._value.get()

    before = counted()
    async with serving(build_control_plane(sqlite_url, tmp_path, store=GoneStore())) as api:
        await register(api)
    assert counted() == before + 1


async def test_a_password_change_cannot_be_used_to_guess(sqlite_url: str, tmp_path: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, limit_login="3/minute")
    body = {"password": "An0ther-Secret", "current_password": "wrong"}

    async def change(api: httpx.AsyncClient, body: dict[str, str]) -> int:
        return (await api.patch("/api/v1/auth/me", headers=ada.bearer, json=body)).status_code

    async with serving(plane) as api, client_of(plane.public, ip="198.51.100.7") as thief:
        ada = await register(api)
        assert [await change(thief, body) for _ in range(4)] == [422, 422, 422, 429]
        # The owner, elsewhere, may still change what the thief guesses at.
        assert await change(api, body | {"current_password": PASSWORD}) == 200


@pytest.mark.parametrize(
    ("settings", "warns"),
    [
        ({}, False),
        ({"public_url": "https://models.example"}, True),
        ({"public_url": "https://models.example", "trusted_proxies": "10.0.0.0/8"}, False),
    ],
)
async def test_a_public_address_without_trusted_proxies_is_warned_of(
    sqlite_url: str, tmp_path: Path, settings: dict[str, Any], warns: bool
) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, **settings)
    with structlog.testing.capture_logs() as logs:
        async with plane.running():
            pass
    assert [log["cure"] for log in logs if log["log_level"] == "warning"] == [HOW_TO_TRUST] * warns


async def test_no_response_repeats_a_host_where_the_operator_said_the_address(
    sqlite_url: str, tmp_path: Path
) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, public_url="https://models.example")
    async with serving(plane) as api:
        ada = await register(api)
        evil = {**ada.bearer, "Host": "evil.example"}
        for path in ("/api/v1/models/", "/openapi.json", "/ui", "/docs/assets", "/ui/login", "/nothing"):
            response = await api.get(path, headers=evil)
            assert "evil" not in response.text + str(response.headers)


async def test_every_response_carries_request_id_and_security_headers(api: httpx.AsyncClient) -> None:
    for response in (await api.get("/healthz"), await api.get("/nothing"), await api.post(LOGIN, json={})):
        assert response.headers["X-Request-ID"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert "Strict-Transport-Security" not in response.headers
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_hsts_on_https_only(control_plane: ControlPlane) -> None:
    async with client_of(control_plane.public, scheme="https") as api:
        assert "Strict-Transport-Security" in (await api.get("/healthz")).headers


async def test_only_listed_origins_may_call_from_a_browser(sqlite_url: str, tmp_path: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path, cors_origins="https://app.example.com")
    async with serving(plane) as api:
        listed = await api.get("/nothing", headers={"Origin": "https://app.example.com"})
        other = await api.get("/nothing", headers={"Origin": "https://evil.example.com"})
    assert listed.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Access-Control-Allow-Origin" not in other.headers


@pytest.mark.parametrize(
    ("path", "content_type"),
    [(LOGIN, "application/json"), ("/api/v1/auth/token", "application/x-www-form-urlencoded")],
)
async def test_a_large_body_is_a_413(api: httpx.AsyncClient, path: str, content_type: str) -> None:
    headers = {"Content-Type": content_type}

    async def chunks() -> Any:
        for _ in range(70):
            yield b" " * 1024

    declared = await api.post(path, content=b" " * 70_000, headers=headers)
    streamed = await api.post(path, content=chunks(), headers=headers)
    assert declared.status_code == streamed.status_code == 413


async def test_wrong_address_and_method_are_problems(api: httpx.AsyncClient) -> None:
    for response, status in ((await api.get("/nothing"), 404), (await api.delete(LOGIN), 405)):
        assert response.status_code == response.json()["status"] == status
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["request_id"] == response.headers["X-Request-ID"]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
async def test_documentation_needs_nothing_from_elsewhere(api: httpx.AsyncClient, path: str) -> None:
    page = await api.get(path)
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    for script in re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL):
        assert b64encode(sha256(script.encode()).digest()).decode() in policy
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert address.startswith("/"), address
        assert (await api.get(address)).status_code == 200
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]


ADDRESSED = re.compile(rb"(?:src|href):\s*[\"'](https?://[^\"']+)")


async def test_redocs_script_loads_nothing_from_elsewhere(api: httpx.AsyncClient) -> None:
    page = await api.get("/redoc")
    (address,) = re.findall(r'<script src="([^"]+)"', page.text)
    script = await api.get(address)
    assert script.status_code == 200
    assert "immutable" in script.headers["Cache-Control"]
    assert b"cdn.redoc.ly" not in script.content
    assert b"redocly logo" in script.content
    # A link of its footer, which nobody follows unasked.
    assert ADDRESSED.findall(script.content) == [b"https://redocly.com/redoc/"]


async def test_readiness_is_the_databases(sqlite_url: str, tmp_path: Path) -> None:
    plane = build_control_plane("postgresql://nobody@127.0.0.1:1/none", tmp_path)
    async with serving(plane) as api:
        ready = await api.get("/readyz")
        assert (await api.get("/healthz")).status_code == 200
    assert ready.status_code == 503
    assert ready.headers["Retry-After"]
    async with serving(build_control_plane(sqlite_url, tmp_path)) as api:
        assert (await api.get("/readyz")).status_code == 200


async def test_metrics_name_routes_and_never_ids(api: httpx.AsyncClient, ada: Person) -> None:
    key = await ada.make_key()
    await api.delete(f"/api/v1/api-keys/{key['id']}", headers=ada.bearer)
    text = (await api.get("/metrics")).text
    assert 'route="/api/v1/api-keys/{key_id}"' in text
    assert key["id"] not in text


async def test_changes_are_audited_with_who_and_where_and_without_secrets(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    key = await ada.make_key()
    path = f"/api/v1/api-keys/{key['id']}"
    rotated = (await api.post(f"{path}/rotate", headers=ada.bearer)).json()
    await api.delete(path, headers={**ada.bearer, "X-Request-ID": "delete-1"})
    changed = {"password": "An0ther-Secret", "current_password": PASSWORD}
    await api.patch("/api/v1/auth/me", headers=ada.bearer, json=changed)
    await api.post("/api/v1/auth/logout", json={"refresh_token": ada.refresh_token})
    with control_plane.context.database.transaction(read_only=True) as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.at)).all()
    assert [row.action for row in rows] == [
        "user.register",
        "session.open",
        "api_key.create",
        "api_key.rotate",
        "api_key.delete",
        "user.change",
        "session.close",
    ]
    assert all(row.actor_id == ada.id and row.ip == "192.0.2.1" for row in rows[1:])
    assert rows[4].request_id == "delete-1"
    assert rows[4].target == f"api_key:{key['id']}"
    written = " ".join(str(vars(row)) for row in rows)
    for hidden in (PASSWORD, "An0ther-Secret", key["key"], rotated["key"], ada.refresh_token):
        assert hidden not in written


async def test_the_platform_starts_and_stops(control_plane: ControlPlane) -> None:
    async with control_plane.running(), client_of(control_plane.internal) as internal:
        assert (await internal.get("/readyz")).status_code == 200
