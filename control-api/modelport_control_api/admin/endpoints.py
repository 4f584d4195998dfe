"""The calls for administrators of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from modelport_control_api.admin import service
from modelport_control_api.admin.schemas import (
    InviteList,
    MadeInvite,
    MadePasswordLink,
    NewInvite,
    NewPasswordLink,
    SystemHealth,
    Transfer,
    Transferred,
    UserChange,
    UserEntry,
    UserList,
)
from modelport_control_api.admin.users import AsAdmin, ModelsFate
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

Address = Annotated[str | None, Query(max_length=320, description="Only the account of this address.")]
WhatOfModels = Annotated[
    ModelsFate | None, Query(description="What becomes of the account's models; needed if it has any.")
]
Receiver = Annotated[
    str | None, Query(max_length=320, description="With transfer: id or e-mail address of who gets them.")
]


@router.get("/health")
async def read_system_health(
    _principal: AdminPrincipal, context: RequestContext, services: Models
) -> SystemHealth:
    """How the platform's components are, and what waits. Returns 200 also when something is wrong."""
    return await service.system_health(context, services)


@router.get("/users", responses=problems(422))
async def list_users(
    _principal: AdminPrincipal,
    services: Models,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
    email: Address = None,
) -> UserList:
    """Everybody with an account, newest first."""
    return await service.users(services, limit, cursor, email)


@router.get("/users/{user_id}", responses=problems(404))
async def read_user(user_id: str, _principal: AdminPrincipal, services: Models) -> UserEntry:
    """One account, with what it holds."""
    return await service.user(services, user_id)


@router.patch("/users/{user_id}", responses=problems(*JSON_BODY, 404, 409))
async def change_user(user_id: str, body: UserChange, admin: AsAdmin) -> UserEntry:
    """Make a user an administrator or not, disable or enable the account, and set what it may hold.

    The last administrator stays, and nobody does the first two to the own account.
    """
    return await admin.change(user_id, body)


@router.post(
    "/users/{user_id}/password-link",
    status_code=201,
    dependencies=[Depends(never_stored)],
    responses=problems(*JSON_BODY, 404, 409),
)
async def make_password_link(
    user_id: str, admin: AsAdmin, renderer: Renderer, body: NewPasswordLink | None = None
) -> MadePasswordLink:
    """Let the user set another password, once. The link is in this response and nowhere else."""
    hours = (body or NewPasswordLink()).hours
    return await admin.make_password_link(user_id, hours, renderer.base_url)


@router.post("/users/{user_id}/transfer", responses=problems(*JSON_BODY, 404, 409))
async def transfer_models(user_id: str, body: Transfer, admin: AsAdmin) -> Transferred:
    """Give all models of the account to another one. They serve on; what is stored of predictions goes."""
    return Transferred(models=await admin.transfer(user_id, body.to))


@router.delete(
    "/users/{user_id}", status_code=204, response_class=Response, responses=problems(404, 409, 422)
)
async def delete_user(user_id: str, admin: AsAdmin, models: WhatOfModels = None, to: Receiver = None) -> None:
    """Delete the account with its sessions, keys, jobs and invitations; its models go, or get another owner.

    Usage that was counted and the audit log stay.
    """
    await admin.delete(user_id, models, to)


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
