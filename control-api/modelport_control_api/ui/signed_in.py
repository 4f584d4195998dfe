"""The dependency of every page that is somebody's: who is signed in, and that the form is really hers."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from modelport_http.problem import Problem

from modelport_control_api.accounts.sessions import web_sessions
from modelport_control_api.accounts.wiring import AccountServices
from modelport_control_api.http.context import find
from modelport_control_api.identity import SCOPES, Principal
from modelport_control_api.ui import browser, cookies

HEADER = "X-CSRF-Token"
FIELD = "csrf_token"


def issue(session_token: str) -> str:
    """Return a CSRF token of the session, another one each time. Nothing is stored."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_sign(session_token, nonce)}"


def is_valid(session_token: str, given: str) -> bool:
    """Whether the CSRF token was issued for this session. It may be used more than once."""
    nonce, _, signature = given.partition(".")
    return hmac.compare_digest(_sign(session_token, nonce).encode(), signature.encode())


def _sign(session_token: str, nonce: str) -> str:
    return hmac.new(session_token.encode(), f"csrf:{nonce}".encode(), hashlib.sha256).hexdigest()


_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class SignInNeeded(Exception):
    """Nobody is signed in: `shell.py` leads to the sign-in page and back."""


@dataclass(frozen=True)
class SignedIn:
    """`principal.credential_id` is the browser's session. `full_name` None: none was given."""

    principal: Principal
    full_name: str | None
    session_token: str

    @property
    def csrf_token(self) -> str:
        """A new one each time; all of them work until the session ends."""
        return issue(self.session_token)

    @property
    def shown_name(self) -> str:
        return self.full_name or self.principal.email


async def require_sign_in(request: Request) -> SignedIn:
    """Raises `SignInNeeded`, or a 403 problem for a change without a valid CSRF token."""
    token = cookies.read_session(request)
    signed_in = await _load(find(request, AccountServices), token) if token else None
    if signed_in is None:
        raise SignInNeeded
    if request.method not in browser.SAFE_METHODS:
        await _require_csrf_token(request, signed_in.session_token)
    request.state.signed_in = signed_in
    return signed_in


CurrentSignedIn = Annotated[SignedIn, Depends(require_sign_in)]


async def require_admin(signed_in: CurrentSignedIn) -> SignedIn:
    """Return the session if it is an administrator's. Raises `Problem` 403."""
    if not signed_in.principal.is_admin:
        raise Problem(status=403, detail="This page is for administrators of the platform.")
    return signed_in


AdminSignedIn = Annotated[SignedIn, Depends(require_admin)]


async def _load(services: AccountServices, token: str) -> SignedIn | None:
    found = await services.transactions.read(lambda session: web_sessions.find(session, token))
    if found is None:
        return None
    row, user = found
    if web_sessions.is_sight_stale(row):
        await services.transactions.write(lambda session: web_sessions.touch(session, row.id))
    principal = Principal(user.id, user.email, user.is_admin, frozenset(SCOPES), "session", row.id)
    return SignedIn(principal, user.full_name, token)


async def _require_csrf_token(request: Request, session_token: str) -> None:
    given = request.headers.get(HEADER) or await _in_form(request)
    if not is_valid(session_token, given):
        raise Problem(
            status=403,
            detail="This form is of another session, so nothing was done. Reload the page, then try again.",
        )


async def _in_form(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return ""
    given = (await request.form()).get(FIELD, "")
    return given if isinstance(given, str) else ""
