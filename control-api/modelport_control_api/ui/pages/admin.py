"""The platform as a whole, for administrators."""

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from modelport_control_api.accounts.audit import service as audit
from modelport_control_api.accounts.tables import User
from modelport_control_api.admin import service
from modelport_control_api.http.context import RequestContext
from modelport_control_api.http.session import DbSession
from modelport_control_api.models.access import Answering, Models
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.ui.limits import limits_in_force
from modelport_control_api.ui.rendering import render
from modelport_control_api.ui.signed_in import AdminSignedIn, require_admin

router = APIRouter(prefix="/ui/admin", include_in_schema=False, dependencies=[Depends(require_admin)])
_PAGE = 50
_MOST_MODELS = 500


@router.get("")
async def show_health(request: Request, context: RequestContext, part: Models) -> Response:
    return render(request, "admin/health.html", health=await service.system_health(context, part))


@router.get("/live")
async def show_live_health(request: Request, context: RequestContext, part: Models) -> Response:
    return render(request, "admin/health_live.html", health=await service.system_health(context, part))


@router.get("/users")
async def show_users(request: Request, part: Models, cursor: str | None = None) -> Response:
    page = await service.users(part, _PAGE, cursor)
    return render(request, "admin/users.html", page=page, is_first_page=cursor is None)


@router.get("/models")
async def show_models(request: Request, part: Models, answers: Answering) -> Response:
    def read(session: Session) -> tuple[list[ModelRecord], dict[str, str]]:
        people = {user.id: user.email for user in session.query(User).all()}
        return part.lookout.everything(session), people

    records, emails = await part.transactions.read(read)
    newest = sorted(records, key=lambda record: record.created_at, reverse=True)[:_MOST_MODELS]
    models = [(answers.model(record), emails.get(record.owner_id or "")) for record in newest]
    return render(request, "admin/models.html", models=models, total=len(records))


@router.get("/limits")
async def show_limits(request: Request, context: RequestContext) -> Response:
    return render(request, "admin/limits.html", limits=limits_in_force(context.settings))


@router.get("/audit")
def show_audit(
    request: Request, signed_in: AdminSignedIn, session: DbSession, cursor: str | None = None
) -> Response:
    page = audit.list_page(session, signed_in.principal, _PAGE, cursor, everybody=True)
    actors = {entry.actor_id for entry in page.items if entry.actor_id}
    people = session.query(User).where(User.id.in_(actors)).all()
    emails = {user.id: user.email for user in people}
    return render(request, "admin/audit.html", page=page, emails=emails, is_first_page=cursor is None)
