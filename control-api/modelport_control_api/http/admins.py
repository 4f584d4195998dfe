"""What is for administrators, at a keyboard: no API key opens it."""

from typing import Annotated

from fastapi import Depends

from modelport_control_api.http.principal import SessionPrincipal, forbidden
from modelport_control_api.identity.principal import Principal


async def require_admin(principal: SessionPrincipal) -> Principal:
    if not principal.is_admin:
        raise forbidden("This is for administrators of the platform.")
    return principal


AdminPrincipal = Annotated[Principal, Depends(require_admin)]
