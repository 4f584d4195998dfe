"""What is for administrators, at a keyboard: no API key opens it."""

from typing import Annotated

from fastapi import Depends

from modelport_control_api.auth.identity import Principal
from modelport_control_api.auth.principal import SessionPrincipal, forbidden


async def require_admin(principal: SessionPrincipal) -> Principal:
    if not principal.is_admin:
        raise forbidden("This is for administrators of the platform.")
    return principal


AdminPrincipal = Annotated[Principal, Depends(require_admin)]
