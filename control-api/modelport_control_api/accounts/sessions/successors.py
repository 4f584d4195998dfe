"""The pair that a refresh token is exchanged for: the same one each time, so that nobody need keep it.

It is made from the token and a signing key, of which the database knows neither: who lacks one of them cannot
tell what follows.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime
from uuid import UUID

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
