"""Access tokens as docs/contracts.md has them: EdDSA, 30 minutes, checked offline with the published keys."""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import jwt
from fastapi import APIRouter, Response

from modelport_control_api.accounts.wiring import Accounts
from modelport_control_api.db.base import utc_now
from modelport_control_api.signing_keys.ring import KeyRing


def successor(ring: KeyRing, refresh_token: str, at: datetime) -> str:
    """The refresh token that replaces the one that was used at this time."""
    return urlsafe_b64encode(_derive(ring, "refresh token", refresh_token, at)).rstrip(b"=").decode()


def access_token_id(ring: KeyRing, refresh_token: str, at: datetime) -> str:
    """The `jti` of the access token beside it."""
    return str(UUID(bytes=_derive(ring, "access token", refresh_token, at)[:16], version=4))


def _derive(ring: KeyRing, purpose: str, refresh_token: str, at: datetime) -> bytes:
    secret = ring.signer(at).private.private_bytes_raw()
    return hmac.digest(secret, f"modelport: {purpose} after {refresh_token}".encode(), "sha256")


router = APIRouter()

# Well below the activation delay of a new key: a cache must have it before it signs.
CACHE_SECONDS = 60


@router.get("/.well-known/jwks.json", tags=["platform"])
def read_jwks(services: Accounts, response: Response) -> dict[str, list[dict[str, Any]]]:
    """The keys that access tokens are signed with (RFC 7517)."""
    response.headers["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    return services.signing_keys.jwks()


ISSUER = AUDIENCE = "modelport"
_ALGORITHM = "EdDSA"
_REQUIRED = ["iss", "aud", "sub", "sid", "iat", "exp", "jti"]


class AccessTokenInvalid(Exception):
    """Not ours, altered, or expired."""


@dataclass(frozen=True)
class AccessClaims:
    user_id: str
    session_id: str
    is_admin: bool


def issue(
    ring: KeyRing,
    claims: AccessClaims,
    life_seconds: int,
    *,
    at: datetime | None = None,
    token_id: str | None = None,
) -> str:
    """Issued now and with an id of its own, unless given."""
    at = at or utc_now()
    # With its fraction: gateways compare it with the moment at which the user's tokens were ended.
    key, now = ring.signer(at), at.timestamp()
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": claims.user_id,
        "sid": claims.session_id,
        "scope": "user",
        "admin": claims.is_admin,
        "iat": now,
        "exp": now + life_seconds,
        "jti": token_id or str(uuid4()),
    }
    return jwt.encode(payload, key.private, algorithm=_ALGORITHM, headers={"kid": key.kid})


def verify(ring: KeyRing, token: str) -> AccessClaims:
    """Raises `AccessTokenInvalid`. Whether the session still lives only the database knows."""
    try:
        key = ring.find(jwt.get_unverified_header(token).get("kid", ""))
        if key is None:
            raise AccessTokenInvalid
        payload = jwt.decode(
            token,
            key.private.public_key(),
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": _REQUIRED},
        )
    except jwt.PyJWTError as error:
        raise AccessTokenInvalid from error
    return AccessClaims(payload["sub"], payload["sid"], bool(payload.get("admin")))
