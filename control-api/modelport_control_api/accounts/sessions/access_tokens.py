"""Access tokens as docs/contracts.md has them: EdDSA, 30 minutes, checked offline by every gateway."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import jwt

from modelport_control_api.db.base import utc_now
from modelport_control_api.signing_keys.ring import KeyRing

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
    key, now = ring.signer(at), int(at.timestamp())
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
    """Raises `AccessTokenInvalid`. Whether the session still lives is the database's to say."""
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
