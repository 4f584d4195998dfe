"""FastAPI dependencies that give an endpoint its principal, or respond with 401 or 403: users,
administrators, the platform.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from modelport_http.problem import Problem
from modelport_process import internal_key

from modelport_control_api.http.context import RequestContext, get_context
from modelport_control_api.identity import SCOPES, Principal


async def _require_key(request: Request, context: RequestContext) -> None:
    if not internal_key.is_shown(context.settings.internal_key, request.headers):
        raise Problem(
            status=403,
            detail="Only the platform's own components may call this: give gateways, batch workers and the "
            "control API the same MODELPORT_INTERNAL_KEY.",
        )


PLATFORM_ONLY = Depends(_require_key)


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
    """Return who calls. Raises `Problem` 401."""
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
    """Return the dependency that lets pass only credentials with `scope`. Sessions have every scope.

    Raises `ValueError` for a scope that does not exist; the dependency raises `Problem` 403.
    """
    if scope not in SCOPES:
        raise ValueError(f"{scope!r} is not one of {SCOPES}")

    async def principal_with_scope(principal: CurrentPrincipal) -> Principal:
        if scope not in principal.scopes:
            raise forbidden(f"This API key lacks the scope {scope}: use one that has it.")
        return principal

    return principal_with_scope


async def require_session(principal: CurrentPrincipal) -> Principal:
    """Return who calls, if logged in. Raises `Problem` 403 for an API key."""
    if principal.credential != "session":
        raise forbidden("An API key cannot manage accounts or keys: log in and use the access token.")
    return principal


SessionPrincipal = Annotated[Principal, Depends(require_session)]


def unauthorized(detail: str, challenge: str = REALM) -> Problem:
    return Problem(status=401, detail=detail, headers={"WWW-Authenticate": challenge})


def forbidden(detail: str) -> Problem:
    return Problem(status=403, detail=detail)


async def require_admin(principal: SessionPrincipal) -> Principal:
    """Return who calls, if an administrator. Raises `Problem` 403."""
    if not principal.is_admin:
        raise forbidden("This is for administrators of the platform.")
    return principal


AdminPrincipal = Annotated[Principal, Depends(require_admin)]
