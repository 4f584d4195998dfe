"""Access tokens: checked here with the control API's public keys, without asking it."""

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import jwt

from modelport_gateway.auth.authorization import Caller
from modelport_gateway.auth.jwks import SigningKeys
from modelport_gateway.auth.ttl_cache import TTLCache

ISSUER = AUDIENCE = "modelport"
_ALGORITHM = "EdDSA"
_LEEWAY_SECONDS = 5
_REMEMBERED_TOKENS = 10_000
_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]


class InvalidCredential(Exception):
    """The credential is no good; the message says why, for its holder, without repeating it."""


@dataclass(frozen=True, slots=True)
class _Verified:
    caller: Caller
    kid: str


class AccessTokens:
    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys
        self._verified: TTLCache[bytes, _Verified] = TTLCache(_REMEMBERED_TOKENS)

    def remembered(self, token: str) -> Caller | None:
        """Give the caller of a token that was verified before, unless it or its signing key is gone since."""
        verified = self._verified.get(_digest(token))
        return verified.caller if verified and self._keys.known(verified.kid) else None

    async def verify(self, token: str) -> Caller:
        """Check signature, issuer, audience and times. Raises InvalidCredential."""
        try:
            kid = str(jwt.get_unverified_header(token).get("kid", ""))
            key = await self._keys.find(kid)
            if key is None:
                raise InvalidCredential(
                    "The access token is signed by a key that is not known here; log in again."
                )
            claims = jwt.decode(
                token,
                key,
                # Pinned: the token's own `alg` must never choose how it is checked.
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=_LEEWAY_SECONDS,
                options={"require": _CLAIMS},
            )
        except jwt.ExpiredSignatureError:
            raise InvalidCredential("The access token has expired; refresh it or log in again.") from None
        except jwt.PyJWTError:
            raise InvalidCredential("The access token is not valid; log in again.") from None
        return self._remember(token, kid, claims)

    def _remember(self, token: str, kid: str, claims: dict[str, Any]) -> Caller:
        caller = Caller(user_id=str(claims["sub"]), admin=claims.get("admin") is True)
        lives_for = float(claims["exp"]) + _LEEWAY_SECONDS - time.time()
        self._verified.put(_digest(token), _Verified(caller, kid), lives_for)
        return caller


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
