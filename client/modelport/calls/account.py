"""Accounts, sessions and API keys."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from modelport.calls.paths import path_of
from modelport.credentials import Credentials
from modelport.errors import Unauthorized
from modelport.models import ApiKey, User
from modelport.steps import Flow, Listing, request, without_none

KEYS = Listing(path_of("api-keys"), lambda each, _url: ApiKey.from_json(each))


def create_key(
    name: str, scopes: Sequence[str] | None, model_ids: Sequence[str] | None, expires_at: datetime | None
) -> Flow[ApiKey]:
    """Return the new key, with its secret."""
    expiry = None if expires_at is None else expires_at.isoformat()
    body = without_none(name=name, scopes=scopes, model_ids=model_ids, expires_at=expiry)
    reply = yield from request("POST", path_of("api-keys"), json=body)
    return ApiKey.from_json(reply.json())


def rotate_key(key_id: str, grace_seconds: int) -> Flow[ApiKey]:
    """Return the key that takes the old one's place, which still works for so many seconds."""
    path = path_of("api-keys", key_id, "rotate")
    reply = yield from request("POST", path, json={"grace_seconds": grace_seconds})
    return ApiKey.from_json(reply.json())


def revoke_key(key_id: str) -> Flow[None]:
    """End the key, at once and for good. Raises `NotFound`, also for one that was revoked before."""
    yield from request("DELETE", path_of("api-keys", key_id))


def register(email: str, password: str, full_name: str | None, invite: str | None) -> Flow[User]:
    """Return the new user, who is not logged in yet.

    Raises `Conflict` for an address that has an account, `InvalidRequest` for a weak password, `Forbidden`
    where registration is closed or needs another `invite`.
    """
    body = {"email": email, "password": password}
    body |= {"full_name": full_name} if full_name else {}
    body |= {"invite": invite} if invite else {}
    reply = yield from request("POST", path_of("auth", "register"), json=body, anonymous=True)
    return User.from_json(reply.json())


def login(email: str, password: str) -> Flow[Credentials]:
    """Return the session's tokens. Raises `Unauthorized`."""
    body = {"email": email, "password": password}
    try:
        reply = yield from request("POST", path_of("auth", "login"), json=body, anonymous=True)
    except Unauthorized as error:
        error.advice = "Check both, or make an account: `modelport register EMAIL`."
        raise
    return _session(reply.json())


def refresh(refresh_token: str) -> Flow[Credentials]:
    """Return the next tokens; the given one is used up."""
    body = {"refresh_token": refresh_token}
    reply = yield from request("POST", path_of("auth", "refresh"), json=body, anonymous=True)
    return _session(reply.json())


def logout(refresh_token: str) -> Flow[None]:
    """End the session of the token. One that is unknown, or whose session has ended, is no error."""
    body = {"refresh_token": refresh_token}
    yield from request("POST", path_of("auth", "logout"), json=body, anonymous=True)


def me() -> Flow[User]:
    """Return the user that the credential belongs to. Raises `Unauthorized` without a valid one."""
    reply = yield from request("GET", path_of("auth", "me"))
    return User.from_json(reply.json())


def update(
    *,
    full_name: str | None,
    email: str | None,
    password: str | None,
    current_password: str | None,
    revoke_api_keys: bool,
) -> Flow[User]:
    """Return the changed user. None leaves a thing as it is; an empty name takes it away."""
    body: dict[str, Any] = without_none(email=email, password=password, current_password=current_password)
    if full_name is not None:
        body["full_name"] = full_name or None
    if revoke_api_keys:
        body["revoke_api_keys"] = True
    reply = yield from request("PATCH", path_of("auth", "me"), json=body)
    return User.from_json(reply.json())


def delete(current_password: str, *, delete_models: bool) -> Flow[None]:
    """Delete the account. Raises `Conflict` while it has models that are not to go, or for the last admin."""
    body = {"current_password": current_password, "delete_models": delete_models}
    yield from request("POST", path_of("auth", "me", "delete"), json=body)


def set_password(link: str, password: str) -> Flow[None]:
    """`link`: whole, or what stands behind # in it. Raises `Forbidden` for one that is used or expired."""
    body = {"token": link.rpartition("#")[2], "password": password}
    yield from request("POST", path_of("auth", "password"), json=body, anonymous=True)


def _session(tokens: Any) -> Credentials:
    return Credentials(
        access_token=tokens["access_token"],
        refresh_token=tokens["refresh_token"],
        expires_at=time.time() + tokens["expires_in"],
    )
