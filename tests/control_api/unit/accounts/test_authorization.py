"""Every route, for everybody who must not use it. A route that this table lacks fails the test at the end."""

from datetime import timedelta

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from modelport_control_api.accounts.sessions import access_tokens
from modelport_control_api.accounts.sessions.access_tokens import AccessClaims
from modelport_control_api.accounts.tables import ApiKey, Invite, PasswordLink, User
from modelport_control_api.db.base import utc_now
from modelport_control_api.identity import SCOPES
from modelport_control_api.process.app import ControlPlane
from sqlalchemy import update

from tests.support.control_api import Person, log_in

SOME_ID = "00000000-0000-4000-8000-000000000000"
USER = "/api/v1/admin/users/{user_id}"

# Needs no credential: it carries its own (a password, a refresh token) or says nothing about anybody.
OPEN = {
    ("POST", "/api/v1/auth/register"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/token"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/auth/password"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
}
ANY_CREDENTIAL = {("GET", "/api/v1/auth/me")}
SESSION_ONLY = {
    ("PATCH", "/api/v1/auth/me"),
    ("POST", "/api/v1/auth/me/delete"),
    ("POST", "/api/v1/api-keys"),
    ("GET", "/api/v1/api-keys"),
    ("DELETE", "/api/v1/api-keys/{key_id}"),
    ("POST", "/api/v1/api-keys/{key_id}/rotate"),
    ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/admin/health"),
    ("GET", "/api/v1/admin/users"),
    ("GET", USER),
    ("PATCH", USER),
    ("DELETE", USER),
    ("POST", f"{USER}/password-link"),
    ("POST", f"{USER}/transfer"),
    ("GET", "/api/v1/admin/invites"),
    ("POST", "/api/v1/admin/invites"),
    ("DELETE", "/api/v1/admin/invites/{invite_id}"),
}
ADMIN_ONLY = {route for route in SESSION_ONLY if route[1].startswith("/api/v1/admin/")}
SCOPED = {("GET", "/api/v1/analytics/overview"), ("GET", "/api/v1/analytics/models/{model_id}")}
OF_ONE_KEY = {route for route in SESSION_ONLY if "{key_id}" in route[1]}
PROTECTED = sorted(ANY_CREDENTIAL | SESSION_ONLY | SCOPED)
# Models and alerts have a table of their own (`integration/api`); predictions are documented here
# and answered by the gateway.
ELSEWHERE = (
    "/api/v1/models",
    "/api/v1/events",
    "/api/v1/webhooks",
    "/api/v1/jobs",
    "/api/v1/predict",
    "/predict",
    "/v2",
)

BODIES = {
    "/api/v1/api-keys": {"name": "ci"},
    "/api/v1/auth/me": {"full_name": "Eve"},
    "/api/v1/auth/me/delete": {"current_password": "not it", "delete_models": True},
    USER: {"max_models": 1_000_000, "is_admin": True, "disabled": True},
    f"{USER}/password-link": {"hours": 168},
    f"{USER}/transfer": {"to": "eve@example.com"},
    "/api/v1/admin/invites": {"days": 90},
}


async def call(
    api: httpx.AsyncClient, route: tuple[str, str], headers: dict[str, str], key_id: str = SOME_ID
) -> httpx.Response:
    method, path = route
    body = None if method in ("GET", "DELETE") else BODIES.get(path)
    return await api.request(method, path.replace("{key_id}", key_id), headers=headers, json=body)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def assert_refused_everywhere(api: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Each route in one test: an account for every route would cost more than all requests together."""
    for route in PROTECTED:
        response = await call(api, route, headers)
        assert_refused(response)
        # Only a credential that was given can be a bad one.
        assert ("error=" in response.headers["WWW-Authenticate"]) == bool(headers), route


def assert_refused(response: httpx.Response) -> None:
    assert response.status_code == 401, (response.url, response.text)
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="modelport"')
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_nobody_is_refused(api: httpx.AsyncClient) -> None:
    await assert_refused_everywhere(api, {})


@pytest.mark.parametrize(
    "headers",
    [
        bearer("nonsense"),
        bearer("a.b.c"),
        bearer("mlp_live_unknown"),
        {"X-API-Key": "mlp_live_unknown"},
        {"X-API-Key": "nonsense"},
    ],
    ids=str,
)
async def test_an_unknown_credential_is_refused(api: httpx.AsyncClient, headers: dict[str, str]) -> None:
    await assert_refused_everywhere(api, headers)


async def test_an_expired_access_token_is_refused(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    ring = control_plane.accounts.signing_keys
    claims = access_tokens.verify(ring, ada.access_token)
    await assert_refused_everywhere(api, bearer(access_tokens.issue(ring, claims, -1)))


async def test_a_token_signed_by_someone_else_is_refused(api: httpx.AsyncClient, ada: Person) -> None:
    payload = jwt.decode(ada.access_token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(ada.access_token)["kid"]
    forged = jwt.encode(payload, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": kid})
    unsigned = jwt.encode(payload, None, algorithm="none", headers={"kid": kid})
    for token in (forged, unsigned):
        await assert_refused_everywhere(api, bearer(token))


async def test_a_session_that_logged_out_is_refused(api: httpx.AsyncClient, ada: Person) -> None:
    gone = await api.post("/api/v1/auth/logout", json={"refresh_token": ada.refresh_token})
    assert gone.status_code == 204
    await assert_refused_everywhere(api, ada.bearer)


async def test_a_deleted_key_is_refused(api: httpx.AsyncClient, ada: Person) -> None:
    key = await ada.make_key()
    assert (await api.delete(f"/api/v1/api-keys/{key['id']}", headers=ada.bearer)).status_code == 204
    await assert_refused_everywhere(api, {"X-API-Key": key["key"]})


async def test_an_expired_key_is_refused(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    key = await ada.make_key()
    with control_plane.context.database.transaction() as session:
        session.execute(update(ApiKey).values(expires_at=utc_now() - timedelta(seconds=1)))
    await assert_refused_everywhere(api, {"X-API-Key": key["key"]})


async def test_a_key_with_every_scope_cannot_manage_account_or_keys(
    api: httpx.AsyncClient, ada: Person
) -> None:
    key = await ada.make_key(scopes=list(SCOPES))
    for route in sorted(SESSION_ONLY):
        response = await call(api, route, {"X-API-Key": key["key"]}, key["id"])
        assert response.status_code == 403, route
        assert "log in" in response.json()["detail"]


async def test_what_is_for_administrators_is_for_nobody_else(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    for method, path in sorted(ADMIN_ONLY):
        response = await call(api, (method, path), ada.bearer)
        assert (response.status_code, "administrators" in response.json()["detail"]) == (403, True), path
        own = path.replace("{user_id}", ada.id)
        response = await api.request(method, own, headers=ada.bearer, json=BODIES.get(path))
        assert response.status_code == 403, "nor for oneself"
    with control_plane.context.database.transaction(read_only=True) as session:
        assert session.query(Invite).count() == session.query(PasswordLink).count() == 0
        user = session.get_one(User, ada.id)
        assert (user.max_models, user.is_admin, user.disabled_at) == (None, False, None)


async def test_a_key_without_the_scope_cannot_read_usage(api: httpx.AsyncClient, ada: Person) -> None:
    key = await ada.make_key(scopes=["predict", "models:read", "models:write"])
    for route in sorted(SCOPED):
        response = await call(api, route, {"X-API-Key": key["key"]})
        assert response.status_code == 403, route
        assert "analytics:read" in response.json()["detail"]


@pytest.mark.parametrize("route", sorted(OF_ONE_KEY), ids=" ".join)
async def test_someone_elses_key_and_none_such_look_the_same(
    api: httpx.AsyncClient, ada: Person, bob: Person, route: tuple[str, str]
) -> None:
    key = await ada.make_key()
    foreign = await call(api, route, bob.bearer, key["id"])
    missing = await call(api, route, bob.bearer)
    odd = await call(api, route, bob.bearer, "%00")
    assert foreign.status_code == missing.status_code == odd.status_code == 404
    assert foreign.json()["detail"] == missing.json()["detail"] == odd.json()["detail"]
    assert (await api.get("/api/v1/auth/me", headers={"X-API-Key": key["key"]})).status_code == 200


async def test_users_see_their_own_keys_only(api: httpx.AsyncClient, ada: Person, bob: Person) -> None:
    await ada.make_key()
    assert (await api.get("/api/v1/api-keys", headers=bob.bearer)).json()["items"] == []


async def test_a_session_id_of_someone_else_gives_no_access(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    claims = AccessClaims(ada.id, SOME_ID, False)
    token = access_tokens.issue(control_plane.accounts.signing_keys, claims, 60)
    assert_refused(await api.get("/api/v1/auth/me", headers=bearer(token)))


async def test_an_api_key_works_in_both_headers(api: httpx.AsyncClient, ada: Person) -> None:
    key = (await ada.make_key())["key"]
    for headers in ({"X-API-Key": key}, bearer(key)):
        assert (await api.get("/api/v1/auth/me", headers=headers)).json()["id"] == ada.id


async def test_another_session_of_the_same_user_lives_on_after_a_logout(
    api: httpx.AsyncClient, ada: Person
) -> None:
    other = await log_in(api, ada.email)
    await api.post("/api/v1/auth/logout", json={"refresh_token": ada.refresh_token})
    assert (await api.get("/api/v1/auth/me", headers=bearer(other["access_token"]))).status_code == 200


def test_the_table_above_names_every_route(control_plane: ControlPlane) -> None:
    exist = {
        (method.upper(), path)
        for path, methods in control_plane.public.openapi()["paths"].items()
        for method in methods
        if not path.startswith(ELSEWHERE)
    }
    assert exist == OPEN | ANY_CREDENTIAL | SESSION_ONLY | SCOPED
