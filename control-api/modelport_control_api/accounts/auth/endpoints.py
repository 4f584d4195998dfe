"""The auth calls of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.security import OAuth2PasswordRequestForm

from modelport_control_api.accounts.auth import accounts, logins, throttle
from modelport_control_api.accounts.auth.schemas import (
    AccountChange,
    Login,
    NewPassword,
    Refresh,
    Registration,
    TokenPair,
    UserOut,
)
from modelport_control_api.accounts.tables import User
from modelport_control_api.accounts.wiring import Accounts
from modelport_control_api.http.bodies import StrictJsonRoute
from modelport_control_api.http.context import RequestOrigin
from modelport_control_api.http.principal import SessionPrincipal
from modelport_control_api.http.responses import CREDENTIAL, JSON_BODY, never_stored, problems

router = APIRouter(
    prefix="/api/v1/auth",
    tags=["accounts"],
    route_class=StrictJsonRoute,
    dependencies=[Depends(never_stored)],
)


@router.post(
    "/register", status_code=201, response_model=UserOut, responses=problems(*JSON_BODY, 403, 409, 429)
)
async def register(body: Registration, services: Accounts, origin: RequestOrigin) -> User:
    """Make an account. Where the platform takes registrations by invitation only, with `invite`."""
    await throttle.registration(services, origin)
    return await accounts.register(services, body, origin)


@router.post("/login", responses=problems(*JSON_BODY, 401, 403, 429))
async def log_in(body: Login, services: Accounts, origin: RequestOrigin) -> TokenPair:
    """Start a session: an access token for calls, a refresh token for the next pair."""
    return await logins.log_in(services, body.email, body.password.get_secret_value(), origin)


@router.post("/token", responses=problems(400, 401, 403, 413, 422, 429))
async def log_in_by_form(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], services: Accounts, origin: RequestOrigin
) -> TokenPair:
    """Log in as OAuth2 has it (username is the e-mail address), for the Authorize button of /docs."""
    return await logins.log_in(services, form.username, form.password, origin)


@router.post("/refresh", responses=problems(*JSON_BODY, 401))
def refresh(body: Refresh, services: Accounts, origin: RequestOrigin) -> TokenPair:
    """Exchange a refresh token, once, for a new pair. A second use ends the session."""
    return logins.refresh(services, body.refresh_token.get_secret_value(), origin)


@router.post("/logout", status_code=204, response_class=Response, responses=problems(*JSON_BODY))
def log_out(body: Refresh, services: Accounts, origin: RequestOrigin) -> None:
    """End the session that the refresh token belongs to."""
    logins.log_out(services, body.refresh_token.get_secret_value(), origin)


@router.patch("/me", response_model=UserOut, responses=problems(*JSON_BODY, *CREDENTIAL, 409, 429))
async def change_account(
    body: AccountChange, principal: SessionPrincipal, services: Accounts, origin: RequestOrigin
) -> User:
    """Change full_name, or email or password with current_password.

    A new password ends all other sessions and, with revoke_api_keys, all API keys.
    """
    return await accounts.change(services, principal, body, origin)


@router.post("/password", status_code=204, response_class=Response, responses=problems(*JSON_BODY, 403))
async def set_password(body: NewPassword, services: Accounts, origin: RequestOrigin) -> None:
    """Set a password by the link that an administrator made. It ends with that, and so do all sessions."""
    await accounts.set_password(services, body, origin)
