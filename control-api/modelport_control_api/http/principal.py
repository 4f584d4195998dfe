"""FastAPI dependencies that give an endpoint its principal, or answer 401 or 403 for it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from modelport_http.problem import Problem

from modelport_control_api.http.context import get_context
from modelport_control_api.identity.principal import SCOPES, Principal

__all__ = ["SCOPES", "CurrentPrincipal", "Principal", "SessionPrincipal", "require"]

# These two read nothing: they are the Authorize button of /docs and the security schemes of /openapi.json.
_bearer = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/token", scheme_name="Bearer", auto_error=False)
_api_key = APIKeyHeader(name="X-API-Key", scheme_name="ApiKey", auto_error=False)

REALM = 'Bearer realm="modelport"'


def presented(request: Request) -> str | None:
    """`X-API-Key` wins over `Authorization: Bearer`; either may carry an API key."""
    if key := request.headers.get("x-api-key"):
        return key.strip()
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


def current_principal(
    request: Request,
    _token: Annotated[str | None, Depends(_bearer)],
    _key: Annotated[str | None, Depends(_api_key)],
) -> Principal:
    credential = presented(request)
    if credential is None:
        raise unauthorized(
            "This call needs a credential: send Authorization: Bearer <token or API key>.", REALM
        )
    principal = get_context(request).authenticate(credential)
    if principal is None:
        raise unauthorized(
            "The credential is unknown, expired or revoked: log in again or use another API key.",
            f'{REALM}, error="invalid_token"',
        )
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


def require(scope: str) -> Callable[[Principal], Awaitable[Principal]]:
    """Make the dependency that lets pass only credentials with `scope`. Sessions have every scope."""
    if scope not in SCOPES:
        raise ValueError(f"{scope!r} is not one of {SCOPES}")

    async def principal_with_scope(principal: CurrentPrincipal) -> Principal:
        if scope not in principal.scopes:
            raise forbidden(f"This API key lacks the scope {scope}: use one that has it.")
        return principal

    return principal_with_scope


async def require_session(principal: CurrentPrincipal) -> Principal:
    if principal.credential != "session":
        raise forbidden("An API key cannot manage accounts or keys: log in and use the access token.")
    return principal


SessionPrincipal = Annotated[Principal, Depends(require_session)]


def unauthorized(detail: str, challenge: str = REALM) -> Problem:
    return Problem(status=401, detail=detail, headers={"WWW-Authenticate": challenge})


def forbidden(detail: str) -> Problem:
    return Problem(status=403, detail=detail)
