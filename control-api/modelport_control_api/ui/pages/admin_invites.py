"""Invitations to register, for administrators: made, shown once, withdrawn."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from modelport_control_api.admin import service
from modelport_control_api.admin.schemas import NewInvite
from modelport_control_api.http.context import Context, DbSession, RequestContext, RequestOrigin
from modelport_control_api.ui.browser import address_of
from modelport_control_api.ui.forms import Form, parse, read_values, without_blanks
from modelport_control_api.ui.rendering import redirect, render
from modelport_control_api.ui.signed_in import AdminSignedIn, require_admin

router = APIRouter(prefix="/ui/admin/invites", include_in_schema=False, dependencies=[Depends(require_admin)])
_PAGE = 50
_BLANK = Form({"days": "7"})


async def read_invite(request: Request) -> dict[str, Any]:
    """Return the form's texts by name. A dependency, as only async code can read the body."""
    return await read_values(request)


InviteValues = Annotated[dict[str, Any], Depends(read_invite)]


@router.get("")
def show_invites(
    request: Request, context: RequestContext, session: DbSession, cursor: str | None = None
) -> Response:
    return _page(request, context, session, _BLANK, cursor)


@router.post("")
def make_invite(  # noqa: PLR0917 - FastAPI gives each of them by name
    request: Request,
    values: InviteValues,
    signed_in: AdminSignedIn,
    context: RequestContext,
    session: DbSession,
    origin: RequestOrigin,
) -> Response:
    parsed = parse(NewInvite, without_blanks(values), shown=values)
    if parsed.body is None:
        return _page(request, context, session, parsed.form, None, status=422)
    made = service.create(session, signed_in.principal, parsed.body, origin, address_of(request))
    return _page(request, context, session, _BLANK, None, made=made)


@router.post("/{invite_id}/withdraw")
def withdraw_invite(
    invite_id: str, request: Request, signed_in: AdminSignedIn, session: DbSession, origin: RequestOrigin
) -> Response:
    service.withdraw(session, signed_in.principal, invite_id, origin)
    return redirect(request, "/ui/admin/invites", "The invitation is withdrawn.")


def _page(
    request: Request, context: Context, session: Session, form: Form, cursor: str | None, **shown: Any
) -> Response:
    page = service.list_page(session, _PAGE, cursor)
    return render(
        request,
        "admin/invites.html",
        page=page,
        form=form,
        mode=context.settings.registration,
        is_first_page=cursor is None,
        **{"made": None, **shown},
    )
