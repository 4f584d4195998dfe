"""Refreshing: a token works once, and a second use ends the session."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import jwt
import pytest
from modelport_control_api.accounts.sessions import access_tokens, api_sessions
from modelport_control_api.accounts.tables import AuditEntry, RefreshToken
from modelport_control_api.db.base import utc_now
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.signing_keys import rotation
from modelport_control_api.signing_keys.ring import KeyRing
from sqlalchemy import func, select, update

from tests.support.control_api import Person, log_in


async def refresh(api: httpx.AsyncClient, token: str) -> httpx.Response:
    return await api.post("/api/v1/auth/refresh", json={"refresh_token": token})


async def let_pass(control_plane: ControlPlane, seconds: float) -> None:
    """Have every token been used so much earlier."""
    with control_plane.context.database.transaction() as session:
        for row in session.scalars(select(RefreshToken).where(RefreshToken.used_at.is_not(None))):
            row.used_at = row.used_at and row.used_at - timedelta(seconds=seconds)


async def test_a_refresh_gives_a_pair_that_works_in_the_same_session(
    api: httpx.AsyncClient, ada: Person
) -> None:
    response = await refresh(api, ada.refresh_token)
    assert response.status_code == 200
    pair = response.json()
    assert pair["refresh_token"] != ada.refresh_token
    me = await api.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {pair['access_token']}"})
    assert me.json()["email"] == ada.email

    def session_of(token: str) -> str:
        return str(jwt.decode(token, options={"verify_signature": False})["sid"])

    assert session_of(pair["access_token"]) == session_of(ada.access_token)


async def test_reuse_is_a_401_that_is_remembered_and_kills_the_newer_tokens(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    newer = (await refresh(api, ada.refresh_token)).json()
    await let_pass(control_plane, 6)
    again = await refresh(api, ada.refresh_token)
    assert again.status_code == 401
    assert "used before" in again.json()["detail"]
    assert (await refresh(api, newer["refresh_token"])).status_code == 401
    me = await api.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {newer['access_token']}"})
    assert me.status_code == 401
    with control_plane.context.database.transaction(read_only=True) as session:
        assert session.scalar(select(AuditEntry).where(AuditEntry.action == "session.reuse"))


async def test_a_race_of_refreshes_gives_each_the_same_pair(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In minutes, since a busy machine needs some of the seconds itself.
    monkeypatch.setattr(api_sessions, "_SAME_AGAIN", timedelta(minutes=5))
    responses = await asyncio.gather(*(refresh(api, ada.refresh_token) for _ in range(5)))
    assert {response.status_code for response in responses} == {200}
    pair = responses[0].json()
    assert [response.json() for response in responses] == [pair] * 5
    await let_pass(control_plane, 4 * 60)
    assert (await refresh(api, ada.refresh_token)).json()["refresh_token"] == pair["refresh_token"]
    # The session goes on as if the token had come once; and a second token is distinguished from the first.
    following = (await refresh(api, pair["refresh_token"])).json()
    assert following["refresh_token"] not in {pair["refresh_token"], ada.refresh_token}


async def test_a_token_used_again_at_once_does_not_bring_an_ended_session_back(
    api: httpx.AsyncClient, ada: Person
) -> None:
    pair = (await refresh(api, ada.refresh_token)).json()
    await api.post("/api/v1/auth/logout", json={"refresh_token": pair["refresh_token"]})
    assert (await refresh(api, ada.refresh_token)).status_code == 401


async def test_the_successor_of_a_token_cannot_be_derived_from_it_alone(
    tmp_path: Path, control_plane: ControlPlane
) -> None:
    rotation.create_first(tmp_path / "elsewhere")
    other = KeyRing(tmp_path / "elsewhere", rotation.schedule(0, 60))
    now = utc_now()
    rings = (control_plane.accounts.signing_keys, other)
    assert len({access_tokens.successor(ring, token, now) for ring in rings for token in ("a", "b")}) == 4


async def test_reuse_in_one_session_leaves_the_others_alone(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    other = await log_in(api, ada.email)
    await refresh(api, ada.refresh_token)
    await let_pass(control_plane, 6)
    await refresh(api, ada.refresh_token)
    assert (await refresh(api, other["refresh_token"])).status_code == 200


async def test_unknown_expired_and_logged_out_tokens_are_refused(
    api: httpx.AsyncClient, ada: Person, bob: Person, control_plane: ControlPlane
) -> None:
    await api.post("/api/v1/auth/logout", json={"refresh_token": bob.refresh_token})
    with control_plane.context.database.transaction() as session:
        expire = update(RefreshToken).where(RefreshToken.user_id == ada.id)
        session.execute(expire.values(expires_at=utc_now() - timedelta(seconds=1)))
    for token in ("unknown", ada.refresh_token, bob.refresh_token):
        response = await refresh(api, token)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"]


async def test_only_hashes_of_refresh_tokens_are_kept(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    with control_plane.context.database.transaction(read_only=True) as session:
        row = session.scalars(select(RefreshToken)).one()
        kept = {str(value) for value in vars(row).values()}
    assert not any(ada.refresh_token in value for value in kept)
    assert timedelta(days=29) < row.expires_at - utc_now() <= timedelta(days=30)


async def test_a_login_forgets_expired_sessions(
    api: httpx.AsyncClient, ada: Person, control_plane: ControlPlane
) -> None:
    with control_plane.context.database.transaction() as session:
        session.execute(update(RefreshToken).values(expires_at=utc_now() - timedelta(days=1)))
    await log_in(api, ada.email)
    with control_plane.context.database.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(RefreshToken)) == 1


async def test_logging_out_twice_is_no_error(api: httpx.AsyncClient, ada: Person) -> None:
    for token in (ada.refresh_token, ada.refresh_token, "unknown"):
        response = await api.post("/api/v1/auth/logout", json={"refresh_token": token})
        assert response.status_code == 204


async def test_access_tokens_say_what_the_contract_says(ada: Person, control_plane: ControlPlane) -> None:
    header = jwt.get_unverified_header(ada.access_token)
    assert header["alg"] == "EdDSA"
    jwk = next(
        key for key in control_plane.accounts.signing_keys.jwks()["keys"] if key["kid"] == header["kid"]
    )
    claims = jwt.decode(
        ada.access_token, jwt.PyJWK(jwk), algorithms=["EdDSA"], audience="modelport", issuer="modelport"
    )
    assert claims.keys() == {"iss", "aud", "sub", "sid", "scope", "admin", "iat", "exp", "jti"}
    assert (claims["sub"], claims["scope"], claims["admin"]) == (ada.id, "user", False)
    assert claims["exp"] - claims["iat"] == 1800
