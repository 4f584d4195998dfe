"""The calls for administrators of docs/api.md."""

from fastapi import APIRouter

from modelport_control_api.admin import service
from modelport_control_api.admin.schemas import SystemHealth, UserList
from modelport_control_api.auth.admins import AdminPrincipal
from modelport_control_api.context import RequestContext
from modelport_control_api.db.paging import PageCursor, PageLimit
from modelport_control_api.models.access import Models
from modelport_control_api.responses import CREDENTIAL, problems

router = APIRouter(prefix="/api/v1/admin", tags=["platform"], responses=problems(*CREDENTIAL))


@router.get("/health")
async def read_system_health(
    _principal: AdminPrincipal, context: RequestContext, part: Models
) -> SystemHealth:
    """How the platform's parts are, and what waits. Answers 200 also when something is wrong."""
    return await service.system_health(context, part)


@router.get("/users", responses=problems(422))
async def list_users(
    _principal: AdminPrincipal, part: Models, limit: PageLimit = 50, cursor: PageCursor = None
) -> UserList:
    """Everybody with an account, newest first."""
    return await service.users(part, limit, cursor)
