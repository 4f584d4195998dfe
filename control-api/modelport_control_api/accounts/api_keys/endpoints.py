"""The API-key calls of docs/api.md. A key makes no keys: one that leaks must not outlive its deletion."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Response

from modelport_control_api.accounts.api_keys import service
from modelport_control_api.accounts.api_keys.known import MarkNew
from modelport_control_api.accounts.api_keys.schemas import KeyList, KeyWithSecret, NewKey, Rotation
from modelport_control_api.accounts.tables import ApiKey
from modelport_control_api.accounts.wiring import Accounts
from modelport_control_api.db.paging import Page
from modelport_control_api.http.bodies import StrictJsonRoute
from modelport_control_api.http.context import DbSession, PageCursor, PageLimit, RequestOrigin
from modelport_control_api.http.principal import SessionPrincipal
from modelport_control_api.http.responses import CREDENTIAL, JSON_BODY, never_stored, problems

router = APIRouter(
    prefix="/api/v1/api-keys",
    tags=["API keys"],
    route_class=StrictJsonRoute,
    dependencies=[Depends(never_stored)],
    responses=problems(*CREDENTIAL),
)


@router.post("", status_code=201, responses=problems(*JSON_BODY, 409))
def create(  # noqa: PLR0917 - FastAPI gives each of them by name
    body: NewKey,
    principal: SessionPrincipal,
    session: DbSession,
    origin: RequestOrigin,
    mark: MarkNew,
    accounts: Accounts,
) -> KeyWithSecret:
    """Make a key. The response is the only place where it is ever shown."""
    most = accounts.settings.user_max_api_keys
    return mark(service.create(session, principal, body, origin, most=most))


@router.get("", response_model=KeyList, responses=problems(422))
def list_keys(
    principal: SessionPrincipal, session: DbSession, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[ApiKey]:
    """Your keys, newest first."""
    return service.list_page(session, principal, limit, cursor)


@router.delete("/{key_id}", status_code=204, response_class=Response, responses=problems(404))
def delete(key_id: str, principal: SessionPrincipal, session: DbSession, origin: RequestOrigin) -> None:
    """Revoke a key. Gateways notice within 5 seconds."""
    service.delete(session, principal, key_id, origin)


@router.post("/{key_id}/rotate", responses=problems(*JSON_BODY, 404, 409))
def rotate(  # noqa: PLR0917 - FastAPI gives each of them by name
    key_id: str,
    principal: SessionPrincipal,
    session: DbSession,
    origin: RequestOrigin,
    mark: MarkNew,
    body: Annotated[Rotation | None, Body()] = None,
) -> KeyWithSecret:
    """Replace a key by a new one with the same id, scopes and expiry."""
    grace = timedelta(seconds=body.grace_seconds if body else 0)
    return mark(service.rotate(session, principal, key_id, grace, origin))
