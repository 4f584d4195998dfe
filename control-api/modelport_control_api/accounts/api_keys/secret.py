"""The key itself: 256 random bits that people can recognise and scanners can find."""

import hashlib
import secrets

PREFIX = "mlp_live_"
SHOWN_CHARACTERS = len(PREFIX) + 4


def new_key() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def sha256(key: str) -> str:
    """Lowercase hex. No salt or slow hash: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()


def shown_prefix(key: str) -> str:
    return key[:SHOWN_CHARACTERS]
