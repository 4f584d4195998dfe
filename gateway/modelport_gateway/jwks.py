"""The control API's public signing keys, kept for as long as it is away."""

import asyncio
import time
from typing import Any

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

log = structlog.get_logger(__name__)

_PATH = "/.well-known/jwks.json"
# An unknown `kid` costs the control API one call in so many seconds, however many forged tokens arrive.
_MIN_SECONDS_BETWEEN = 3.0


class SigningKeys:
    """Ed25519 keys by `kid`."""

    def __init__(self, control: httpx.AsyncClient, *, refresh_seconds: float) -> None:
        self._control = control
        self._refresh_seconds = refresh_seconds
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    @property
    def had(self) -> bool:
        """Keys have been read at least once."""
        return bool(self._keys)

    def known(self, kid: str) -> Ed25519PublicKey | None:
        return self._keys.get(kid)

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        """Give the key; ask the control API when it is unknown, but not more often than every few seconds."""
        if kid not in self._keys:
            async with self._lock:
                if kid not in self._keys and time.monotonic() - self._asked_at >= _MIN_SECONDS_BETWEEN:
                    await self.refresh()
        return self._keys.get(kid)

    async def refresh(self) -> None:
        """Read the keys anew. On failure the old ones stay: tokens go on being checked."""
        self._asked_at = time.monotonic()
        try:
            response = await self._control.get(_PATH)
            response.raise_for_status()
            keys = _read_keys(response.json())
        except (httpx.HTTPError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            log.warning("signing keys cannot be read from the control API", error=repr(error))
            return
        self._keys = keys or self._keys

    async def run(self) -> None:
        """Refresh for ever; soon again while there is no key at all."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._refresh_seconds if self.had else min(1.0, self._refresh_seconds))


def _read_keys(jwks: dict[str, Any]) -> dict[str, Ed25519PublicKey]:
    keys = {}
    for each in jwks["keys"]:
        if each.get("kty") == "OKP" and each.get("crv") == "Ed25519" and each.get("kid"):
            key = jwt.PyJWK(each, algorithm="EdDSA").key
            if isinstance(key, Ed25519PublicKey):
                keys[each["kid"]] = key
    return keys
