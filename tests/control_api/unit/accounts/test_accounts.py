"""Registering, logging in, and changing the account."""

from typing import Any

import bcrypt
import httpx
import pytest
from modelport_control_api.accounts import passwords
from modelport_control_api.accounts.auth.accounts import ensure_admin
from modelport_control_api.accounts.tables import AuditEntry, User
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.settings import Settings
from sqlalchemy import select

from tests.support.control_api import PASSWORD, Person, log_in


async def register(api: httpx.AsyncClient, **body: Any) -> httpx.Response:
    given = {"email": "user@example.com", "password": PASSWORD, **body}
    return await api.post("/api/v1/auth/register", json=given)


async def test_the_users_own_example_registers_and_logs_in(api: httpx.AsyncClient) -> None:
    made = await register(api, full_name="John Doe")
    assert made.status_code == 201
    assert made.json().keys() == {"id", "email", "full_name", "created_at"}
    assert made.json()["full_name"] == "John Doe"
    pair = await log_in(api, "user@example.com")
    assert pair["token_type"] == "bearer"
    assert pair["expires_in"] == 1800


async def test_an_address_is_taken_in_every_spelling(api: httpx.AsyncClient) -> None:
    assert (await register(api, email="User@Example.com")).json()["email"] == "user@example.com"
    response = await register(api, email="USER@example.COM")
    assert response.status_code == 409
    assert "is registered already" in response.json()["detail"]
    await log_in(api, "uSER@exAMPLE.com")


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short1!", "at least 8"),
        ("Password123", "guessed first"),
        ("x" * 1025, "at most 1024"),
        ("aaaaaaaaaaaa", "repeat"),
        ("my-user@example.com!", "e-mail"),
        ("12-User-34", "e-mail"),
    ],
)
async def test_a_weak_password_is_refused_by_naming_the_rule(
    api: httpx.AsyncClient, password: str, rule: str
) -> None:
    response = await register(api, password=password)
    assert response.status_code == 422
    errors = response.json()["errors"]
    assert any(error["field"] == "password" and rule in error["message"] for error in errors)
    assert password not in response.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "not an address"}, "email"),
        ({"email": "a@b\0.com"}, "email"),
        ({"email": None}, "email"),
        ({"password": None}, "password"),
        ({"password": {"nested": PASSWORD}}, "password"),
        ({"full_name": "a\0b"}, "full_name"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"is_admin": True}, "is_admin"),
    ],
    ids=str,
)
async def test_a_bad_body_names_the_field_and_never_echoes_the_password(
    api: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    response = await register(api, **body)
    assert response.status_code == 422
    assert field in {error["field"].partition(".")[0] for error in response.json()["errors"]}
    assert PASSWORD not in response.text


async def test_a_body_that_is_no_json_is_a_400(api: httpx.AsyncClient) -> None:
    response = await api.post(
        "/api/v1/auth/login", content=b'{"email": ', headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "Wrong" + PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("not an address", PASSWORD),
        ("a\0b@example.com", PASSWORD),
    ],
)
async def test_a_failed_login_does_not_tell_why_and_always_checks_one_hash(
    api: httpx.AsyncClient, ada: Person, monkeypatch: pytest.MonkeyPatch, email: str, password: str
) -> None:
    # Counted, not timed: the work is what an attacker could measure, and a clock would make this test flaky.
    costs: list[str] = []
    real = bcrypt.checkpw

    def counting(given: bytes, hashed: bytes) -> bool:
        costs.append(hashed.decode().split("$")[2])
        return real(given, hashed)

    monkeypatch.setattr(passwords.bcrypt, "checkpw", counting)
    response = await api.post("/api/v1/auth/login", json={"email": email, "password": password})
    assert response.status_code == 401
    assert response.json()["detail"] == "Wrong e-mail address or password."
    assert costs == ["04"]


async def test_long_passwords_count_whole(api: httpx.AsyncClient) -> None:
    long = "correct horse battery staple " * 4
    assert (await register(api, password=long + "1")).status_code == 201
    response = await api.post(
        "/api/v1/auth/login", json={"email": "user@example.com", "password": long + "2"}
    )
    assert response.status_code == 401
    await log_in(api, "user@example.com", long + "1")


@pytest.mark.parametrize("email", ["admin@localhost", "ada@corp.local", "ada@example.test"])
async def test_addresses_of_an_intranet_are_accepted(api: httpx.AsyncClient, email: str) -> None:
    assert (await register(api, email=email)).status_code == 201


def test_twelve_rounds_unless_set() -> None:
    assert Settings.model_fields["bcrypt_rounds"].default == 12
    hashed = passwords.Passwords(rounds=5, threads=1).hash_now(PASSWORD)
    assert hashed.startswith("$2b$05$")


async def test_a_user_that_does_not_exist_costs_what_a_wrong_password_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(passwords, "check", lambda _, hashed: checked.append(hashed))
    kept = passwords.Passwords(rounds=5, threads=1)
    for hashed in (kept.hash_now(PASSWORD), None):
        assert not await kept.matches("wrong", hashed)
    of_somebody, of_nobody = checked
    # bcrypt works as long as the first seven characters say; the rest is salt and digest, of one length.
    assert of_nobody[:7] == of_somebody[:7]
    assert len(of_nobody) == len(of_somebody)
    assert not bcrypt.checkpw(b"wrong", of_nobody.encode())


def test_no_password_is_hashed_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("bcrypt.hashpw")
    passwords.Passwords(rounds=12, threads=1).close()


async def test_the_authorize_button_of_the_docs_logs_in_by_form(api: httpx.AsyncClient, ada: Person) -> None:
    form = {"grant_type": "password", "username": ada.email, "password": PASSWORD}
    response = await api.post("/api/v1/auth/token", data=form)
    assert response.json().keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    schemes = (await api.get("/openapi.json")).json()["components"]["securitySchemes"]
    assert schemes["Bearer"]["flows"]["password"]["tokenUrl"] == "/api/v1/auth/token"
    wrong = await api.post("/api/v1/auth/token", data=form | {"password": "wrong"})
    assert wrong.status_code == 401


async def test_a_name_can_be_changed_and_taken_away(api: httpx.AsyncClient, ada: Person) -> None:
    for name in ("Ada Lovelace", None):
        response = await api.patch("/api/v1/auth/me", headers=ada.bearer, json={"full_name": name})
        assert response.json()["full_name"] == name
        assert (await api.get("/api/v1/auth/me", headers=ada.bearer)).json()["full_name"] == name


async def change_password(ada: Person, **body: Any) -> httpx.Response:
    return await ada.api.patch("/api/v1/auth/me", headers=ada.bearer, json=body)


async def test_a_new_password_ends_the_other_sessions_only(api: httpx.AsyncClient, ada: Person) -> None:
    other = await log_in(api, ada.email)
    new = "An0ther-Secret"
    assert (await change_password(ada, password=new, current_password=PASSWORD)).status_code == 200
    refused = await api.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {other['access_token']}"})
    assert refused.status_code == 401
    dead = await api.post("/api/v1/auth/refresh", json={"refresh_token": other["refresh_token"]})
    assert dead.status_code == 401
    assert (await api.get("/api/v1/auth/me", headers=ada.bearer)).status_code == 200
    await log_in(api, ada.email, new)
    assert (
        await api.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
    ).status_code == 401


async def keys_of(person: Person) -> list[dict[str, Any]]:
    response = await person.api.get("/api/v1/api-keys", headers=person.bearer)
    keys: list[dict[str, Any]] = response.json()["items"]
    return keys


async def test_a_new_password_revokes_api_keys_on_request(
    ada: Person, bob: Person, control_plane: ControlPlane
) -> None:
    for person in (ada, ada, bob):
        await person.make_key()
    given = {"password": "An0ther-Secret", "current_password": PASSWORD}
    assert (await change_password(ada, **given)).status_code == 200
    assert len(await keys_of(ada)) == 2
    again = {"password": PASSWORD, "current_password": "An0ther-Secret", "revoke_api_keys": True}
    assert (await change_password(ada, **again)).status_code == 200
    assert await keys_of(ada) == []
    assert len(await keys_of(bob)) == 1
    with control_plane.context.database.transaction(read_only=True) as session:
        assert (
            len(session.scalars(select(AuditEntry).where(AuditEntry.action == "api_key.delete")).all()) == 2
        )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"password": "An0ther-Secret"}, "current_password is required"),
        ({"password": "An0ther-Secret", "current_password": "wrong"}, "current_password"),
        ({"password": "short", "current_password": PASSWORD}, "at least 8"),
        ({"revoke_api_keys": True}, "revoke_api_keys goes with a new password"),
        ({"revoke_api_keys": True, "password": "An0ther-Secret", "current_password": "wrong"}, "current"),
    ],
)
async def test_a_password_change_that_is_refused_changes_nothing(
    api: httpx.AsyncClient, ada: Person, body: dict[str, Any], said: str
) -> None:
    await ada.make_key()
    response = await change_password(ada, **body)
    assert response.status_code == 422
    assert said in response.json()["detail"]
    assert len(await keys_of(ada)) == 1
    await log_in(api, ada.email)


def test_an_administrator_is_made_once(control_plane: ControlPlane) -> None:
    services = control_plane.accounts
    assert ensure_admin(services.database, services.passwords, "Admin@Modelport.test", "long enough secret")
    assert not ensure_admin(
        services.database, services.passwords, "other@modelport.test", "long enough secret"
    )
    with services.database.transaction(read_only=True) as session:
        admin = session.scalars(select(User)).one()
    assert (admin.email, admin.is_admin) == ("admin@modelport.test", True)
