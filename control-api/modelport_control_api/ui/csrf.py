"""Proof that a form was made for this session: `<nonce>.<HMAC of it under the session's token>`.

Nothing is stored, and it differs on each page, so that compression cannot leak it bit by bit (BREACH).
"""

import hashlib
import hmac
import secrets

HEADER = "X-CSRF-Token"
FIELD = "csrf_token"


def issue(session_token: str) -> str:
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_sign(session_token, nonce)}"


def is_valid(session_token: str, given: str) -> bool:
    nonce, _, signature = given.partition(".")
    return hmac.compare_digest(_sign(session_token, nonce).encode(), signature.encode())


def _sign(session_token: str, nonce: str) -> str:
    return hmac.new(session_token.encode(), f"csrf:{nonce}".encode(), hashlib.sha256).hexdigest()
