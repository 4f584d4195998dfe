"""The audit call of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Query

from modelport_control_api.accounts.audit import service
from modelport_control_api.accounts.audit.schemas import AuditList
from modelport_control_api.accounts.audit.tables import AuditEntry
from modelport_control_api.db.paging import Page
from modelport_control_api.http.pages import PageCursor, PageLimit
from modelport_control_api.http.principal import SessionPrincipal, forbidden
from modelport_control_api.http.responses import CREDENTIAL, problems
from modelport_control_api.http.session import DbSession

router = APIRouter(prefix="/api/v1/audit", tags=["accounts"], responses=problems(*CREDENTIAL, 422))

Everybody = Annotated[bool, Query(alias="all", description="What everybody did; for administrators.")]


@router.get("", response_model=AuditList)
def list_entries(
    principal: SessionPrincipal,
    session: DbSession,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
    everybody: Everybody = False,
) -> Page[AuditEntry]:
    """What you did, and what was done to your account, newest first."""
    if everybody and not principal.is_admin:
        raise forbidden("Only administrators may read everybody's entries: leave all out.")
    return service.list_page(session, principal, limit, cursor, everybody=everybody)
