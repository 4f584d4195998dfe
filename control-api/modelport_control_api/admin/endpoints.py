"""The calls for administrators of docs/api.md."""

from fastapi import APIRouter, Depends, Response

from modelport_control_api.admin import service
from modelport_control_api.admin.schemas import (
    InviteList,
    LimitsChange,
    MadeInvite,
    NewInvite,
    SystemHealth,
    UserEntry,
    UserList,
)
from modelport_control_api.http.bodies import StrictJsonRoute
from modelport_control_api.http.context import DbSession, PageCursor, PageLimit, RequestContext, RequestOrigin
from modelport_control_api.http.principal import AdminPrincipal
from modelport_control_api.http.responses import CREDENTIAL, JSON_BODY, never_stored, problems
from modelport_control_api.models.access import Models, Renderer

router = APIRouter(
    prefix="/api/v1/admin",
    tags=["platform"],
    route_class=StrictJsonRoute,
    responses=problems(*CREDENTIAL),
)


@router.get("/health")
async def read_system_health(
    _principal: AdminPrincipal, context: RequestContext, services: Models
) -> SystemHealth:
    """How the platform's components are, and what waits. Returns 200 also when something is wrong."""
    return await service.system_health(context, services)


@router.get("/users", responses=problems(422))
async def list_users(
    _principal: AdminPrincipal, services: Models, limit: PageLimit = 50, cursor: PageCursor = None
) -> UserList:
    """Everybody with an account, newest first."""
    return await service.users(services, limit, cursor)


@router.patch("/users/{user_id}", responses=problems(*JSON_BODY, 404))
async def change_user_limits(
    user_id: str, body: LimitsChange, principal: AdminPrincipal, services: Models, origin: RequestOrigin
) -> UserEntry:
    """Set how many models, and bytes of their files, a user may hold; null: as everybody."""
    return await service.change_limits(services, principal, user_id, body, origin)


@router.get("/invites", responses=problems(422))
def list_invites(
    _principal: AdminPrincipal, session: DbSession, limit: PageLimit = 50, cursor: PageCursor = None
) -> InviteList:
    """Invitations to register, newest first."""
    return service.list_page(session, limit, cursor)


@router.post(
    "/invites", status_code=201, dependencies=[Depends(never_stored)], responses=problems(*JSON_BODY)
)
def create_invite(
    body: NewInvite, principal: AdminPrincipal, session: DbSession, origin: RequestOrigin, renderer: Renderer
) -> MadeInvite:
    """Let one person register, once. The token is in this response and nowhere else."""
    return service.create(session, principal, body, origin, renderer.base_url)


@router.delete("/invites/{invite_id}", status_code=204, response_class=Response, responses=problems(404))
def delete_invite(
    invite_id: str, principal: AdminPrincipal, session: DbSession, origin: RequestOrigin
) -> None:
    """Withdraw an invitation. Users who have registered with it stay."""
    service.withdraw(session, principal, invite_id, origin)
