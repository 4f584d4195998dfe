"""Access tokens: checked here with the control API's public keys, which are kept for as long as it is
away. Whose tokens ended before they expire is in the store.
"""

import asyncio
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx
import jwt
import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from modelport_process.background import every
from modelport_store.store import Store, StoreUnavailable, tokens_ended_mark

from modelport_gateway.auth.authorization import Caller
from modelport_gateway.auth.ttl_cache import TTLCache
from modelport_gateway.metrics import FALLBACKS

log = structlog.get_logger(__name__)

_PATH = "/.well-known/jwks.json"
# An unknown `kid` costs the control API one call in so many seconds, however many forged tokens arrive.
_MIN_SECONDS_BETWEEN = 3.0
_STORE_KEY = b"signing-keys"
# How long a control API may be away before a new replica can check no token; written again at each reading.
_KEEP_SECONDS = 7 * 86_400
_UNREADABLE = (ValueError, KeyError, TypeError, jwt.PyJWTError)


class InvalidCredential(Exception):
    """The credential is no good; the message says why, for its holder, without repeating it."""


class CredentialUncheckable(Exception):
    """Neither the control API nor the store says just now what would tell whether the credential is good."""


class SigningKeys:
    """Ed25519 keys by `kid`."""

    def __init__(self, control: httpx.AsyncClient, store: Store, *, refresh_seconds: float) -> None:
        self._control = control
        self._store = store
        self._refresh_seconds = refresh_seconds
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._fetched_at = float("-inf")
        self._are_all = False
        """They are what the control API said when it was last asked."""
        self._lock = asyncio.Lock()

    @property
    def had(self) -> bool:
        """Keys have been read at least once."""
        return bool(self._keys)

    def known(self, kid: str) -> Ed25519PublicKey | None:
        """Return the public key of this id; None: it is to be fetched first, or unknown."""
        return self._keys.get(kid)

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        """Return the key; query the control API when it is unknown, but not more often than every few
        seconds. Raises CredentialUncheckable where it is unknown and there may be others.
        """
        if kid not in self._keys:
            async with self._lock:
                if kid not in self._keys and time.monotonic() - self._fetched_at >= _MIN_SECONDS_BETWEEN:
                    await self.refresh()
        key = self._keys.get(kid)
        if key is None and not self._are_all:
            raise CredentialUncheckable
        return key

    async def refresh(self) -> None:
        """Read the keys again. On failure the old ones stay: tokens go on being checked."""
        self._fetched_at = time.monotonic()
        try:
            response = await self._control.get(_PATH)
            response.raise_for_status()
            keys = _read_keys(response.json())
        except (httpx.HTTPError, *_UNREADABLE) as error:
            log.warning("signing_keys_fetch_failed", error=repr(error))
            self._are_all = False
            await self._recall()
            return
        self._are_all = bool(keys)
        if keys:
            self._keys = keys
            await self._keep(response.content)

    async def run(self) -> None:
        """Refresh forever; soon again while there is no key at all."""
        await every(self._pause_seconds, self.refresh, failed="signing_keys_refresh_failed")

    def _pause_seconds(self) -> float:
        return self._refresh_seconds if self.had else min(1.0, self._refresh_seconds)

    async def _recall(self) -> None:
        """Add what a replica kept that could read them."""
        FALLBACKS.labels("control-api").inc()
        try:
            kept = await self._store.get(_STORE_KEY)
            known = _read_keys(orjson.loads(kept)) if kept else {}
        except (StoreUnavailable, *_UNREADABLE) as error:
            log.warning("signing_keys_cache_unreadable", error=repr(error))
            return
        self._keys = known | self._keys

    async def _keep(self, jwks: bytes) -> None:
        try:
            await self._store.put(_STORE_KEY, jwks, _KEEP_SECONDS)
        except StoreUnavailable:
            FALLBACKS.labels("store").inc()


def _read_keys(jwks: dict[str, Any]) -> dict[str, Ed25519PublicKey]:
    keys = {}
    for each in jwks["keys"]:
        if each.get("kty") == "OKP" and each.get("crv") == "Ed25519" and each.get("kid"):
            key = jwt.PyJWK(each, algorithm="EdDSA").key
            if isinstance(key, Ed25519PublicKey):
                keys[each["kid"]] = key
    return keys


ISSUER = AUDIENCE = "modelport"
_ALGORITHM = "EdDSA"
_LEEWAY_SECONDS = 5
_REMEMBERED_TOKENS = 10_000
# How long tokens go on whose user was disabled, as keys do that were revoked.
_BELIEVED_SECONDS = 5.0
_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]


@dataclass(frozen=True, slots=True)
class _Verified:
    caller: Caller
    kid: str


class AccessTokens:
    def __init__(self, keys: SigningKeys, store: Store) -> None:
        self._keys = keys
        self._store = store
        self._verified: TTLCache[bytes, _Verified] = TTLCache(_REMEMBERED_TOKENS)

    def remembered(self, token: str) -> Caller | None:
        """Return the caller of a token that was verified in the last seconds, unless it or its signing key is
        gone since.
        """
        verified = self._verified.get(_digest(token))
        return verified.caller if verified and self._keys.known(verified.kid) else None

    async def verify(self, token: str) -> Caller:
        """Check signature, issuer, audience, times, and that it was not ended. Raises InvalidCredential,
        CredentialUncheckable.
        """
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
        if await self._has_ended(claims):
            raise InvalidCredential("The access token was ended; log in again.")
        return self._remember(token, kid, claims)

    async def _has_ended(self, claims: dict[str, Any]) -> bool:
        """Without the store a token lives until it expires."""
        try:
            ended = await self._store.get(tokens_ended_mark(str(claims["sub"])))
        except StoreUnavailable:
            FALLBACKS.labels("store").inc()
            return False
        return ended is not None and float(claims["iat"]) < float(ended)

    def _remember(self, token: str, kid: str, claims: dict[str, Any]) -> Caller:
        caller = Caller(user_id=str(claims["sub"]), admin=claims.get("admin") is True)
        lives_for = float(claims["exp"]) + _LEEWAY_SECONDS - time.time()
        self._verified.put(_digest(token), _Verified(caller, kid), min(lives_for, _BELIEVED_SECONDS))
        return caller


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
