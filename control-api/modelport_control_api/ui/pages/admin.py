"""The platform as a whole and its limits in words, for its administrators."""

from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request, Response
from modelport_http.wording import counted
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.sessions import web_sessions
from modelport_control_api.accounts.tables import User
from modelport_control_api.admin import service
from modelport_control_api.http.context import DbSession, RequestContext
from modelport_control_api.models.access import Models, Renderer
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.settings import Settings
from modelport_control_api.ui.rendering import render
from modelport_control_api.ui.shown import duration, size
from modelport_control_api.ui.signed_in import AdminSignedIn, require_admin


@dataclass(frozen=True)
class LimitLine:
    """`setting` None: it is fixed."""

    what: str
    value: str
    setting: str | None


def limits_in_force(settings: Settings) -> list[LimitLine]:
    """Return the limits in the order of the page, as text, each with the variable that sets it."""
    prefix = "MODELPORT_CONTROL_API_"
    idle, whole = web_sessions.IDLE_LIFE, web_sessions.WHOLE_LIFE
    return [
        LimitLine("Registrations per address", str(settings.limit_register), "MODELPORT_LIMIT_REGISTER"),
        LimitLine(
            "Wrong passwords per account and address", str(settings.limit_login), "MODELPORT_LIMIT_LOGIN"
        ),
        LimitLine(
            "Wrong passwords per address that is new to the account",
            str(settings.limit_login_elsewhere),
            "MODELPORT_LIMIT_LOGIN_ELSEWHERE",
        ),
        LimitLine("Uploads per user", str(settings.limit_upload), "MODELPORT_LIMIT_UPLOAD"),
        LimitLine("Registration", settings.registration, f"{prefix}REGISTRATION"),
        LimitLine("Models of a user", f"{settings.user_max_models:,}", f"{prefix}USER_MAX_MODELS"),
        LimitLine("API keys of a user", f"{settings.user_max_api_keys:,}", f"{prefix}USER_MAX_API_KEYS"),
        LimitLine("Files of a user", size(settings.user_max_bytes), f"{prefix}USER_MAX_BYTES"),
        LimitLine("Size of a model file", size(settings.max_upload_bytes), "MODELPORT_MAX_UPLOAD_BYTES"),
        LimitLine("Predictions per caller", "set at the gateway", "MODELPORT_LIMIT_PREDICT"),
        LimitLine("Size of a JSON body", size(settings.max_json_bytes), f"{prefix}MAX_JSON_BYTES"),
        LimitLine(
            "Life of an access token",
            duration(settings.access_token_seconds),
            f"{prefix}ACCESS_TOKEN_SECONDS",
        ),
        LimitLine(
            "Life of an API session",
            f"{counted(settings.refresh_token_seconds // 86_400, 'day')} after its last refresh",
            f"{prefix}REFRESH_TOKEN_SECONDS",
        ),
        LimitLine(
            "Life of a browser's session",
            f"{counted(idle.total_seconds() / 3600, 'hour')} without use, "
            f"{counted(whole.days, 'day')} in all",
            None,
        ),
    ]


router = APIRouter(prefix="/ui/admin", include_in_schema=False, dependencies=[Depends(require_admin)])
_PAGE = 50
_MOST_MODELS = 500


@router.get("")
async def show_health(request: Request, context: RequestContext, services: Models) -> Response:
    return render(request, "admin/health.html", health=await service.system_health(context, services))


@router.get("/live")
async def show_live_health(request: Request, context: RequestContext, services: Models) -> Response:
    return render(request, "admin/health_live.html", health=await service.system_health(context, services))


@router.get("/users")
async def show_users(request: Request, services: Models, cursor: str | None = None) -> Response:
    page = await service.users(services, _PAGE, cursor)
    return render(request, "admin/users.html", page=page, is_first_page=cursor is None)


@router.get("/models")
async def show_models(request: Request, services: Models, renderer: Renderer) -> Response:
    def read(session: Session) -> tuple[list[ModelRecord], dict[str, str]]:
        users = {user.id: user.email for user in session.query(User).all()}
        return services.reader.everything(session), users

    records, emails = await services.transactions.read(read)
    newest = sorted(records, key=lambda record: record.created_at, reverse=True)[:_MOST_MODELS]
    models = [(renderer.model(record), emails.get(record.owner_id or "")) for record in newest]
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
    users = session.query(User).where(User.id.in_(actors)).all()
    emails = {user.id: user.email for user in users}
    return render(request, "admin/audit.html", page=page, emails=emails, is_first_page=cursor is None)
