"""API keys: listed, made and shown once, rotated and revoked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.accounts.api_keys import service
from modelport_control_api.accounts.api_keys.known import MarkNew
from modelport_control_api.accounts.api_keys.schemas import KeyWithSecret, NewKey, Rotation
from modelport_control_api.accounts.api_keys.service import ApiKeyExpired, ApiKeyLimitReached
from modelport_control_api.accounts.tables import ApiKey
from modelport_control_api.accounts.wiring import Accounts
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.paging import Page
from modelport_control_api.http.context import DbSession, RequestOrigin
from modelport_control_api.identity import Principal
from modelport_control_api.registry.tables import ModelRow
from modelport_control_api.ui import browser
from modelport_control_api.ui.forms import Form, parse, read_values, without_blanks
from modelport_control_api.ui.rendering import redirect, render, toast
from modelport_control_api.ui.signed_in import CurrentSignedIn, SignedIn

router = APIRouter(prefix="/ui/keys", include_in_schema=False)

SCOPES = (
    ("predict", "Predict", "Call models for predictions"),
    ("models:read", "Read models", "See models, versions and their logs"),
    ("models:write", "Change models", "Upload, change and delete models"),
    ("analytics:read", "Read analytics", "Read figures of usage"),
)
LIVES = (("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))
GRACES = (("0", "At once"), ("3600", "In an hour"), ("86400", "In a day"))
_PAGE = 50
_MOST_MODELS = 100


async def read_new_key(request: Request) -> dict[str, Any]:
    """Return the form's texts by name; `scopes` and `model_ids` are lists, empty if none was chosen."""
    return await read_values(request, lists=("scopes", "model_ids"))


async def read_rotation(request: Request) -> dict[str, Any]:
    """Return the form's texts by name."""
    return await read_values(request)


NewKeyValues = Annotated[dict[str, Any], Depends(read_new_key)]
RotationValues = Annotated[dict[str, Any], Depends(read_rotation)]


@router.get("")
def show_keys(
    request: Request, signed_in: CurrentSignedIn, session: DbSession, cursor: str | None = None
) -> Response:
    page = service.list_page(session, signed_in.principal, _PAGE, cursor)
    return render(request, "keys/list.html", **_listed(page, cursor))


@router.get("/new")
def show_form(request: Request, signed_in: CurrentSignedIn, session: DbSession) -> Response:
    form = Form({"scopes": ["predict"]})
    return render(request, "keys/new.html", form=form, **_choices(session, signed_in.principal))


@router.post("/new")
def create(  # noqa: PLR0917 - FastAPI gives each of them by name
    request: Request,
    values: NewKeyValues,
    signed_in: CurrentSignedIn,
    session: DbSession,
    origin: RequestOrigin,
    mark: MarkNew,
    accounts: Accounts,
) -> Response:
    parsed = parse(NewKey, _as_body(values), shown=values)
    if parsed.body is None:
        return _show_again(request, session, signed_in, parsed.form)
    try:
        most = accounts.settings.user_max_api_keys
        key = mark(service.create(session, signed_in.principal, parsed.body, origin, most=most))
    except ApiKeyLimitReached as error:
        return _show_again(request, session, signed_in, parsed.form.refused_by(error))
    return _show_once(request, session, signed_in, key, "The key is made.")


@router.post("/{key_id}/rotate")
def rotate(  # noqa: PLR0917 - FastAPI gives each of them by name
    key_id: str,
    request: Request,
    values: RotationValues,
    signed_in: CurrentSignedIn,
    session: DbSession,
    origin: RequestOrigin,
    mark: MarkNew,
) -> Response:
    rotation = parse(Rotation, without_blanks(values)).body or Rotation()
    grace = timedelta(seconds=rotation.grace_seconds)
    try:
        key = mark(service.rotate(session, signed_in.principal, key_id, grace, origin))
    except ApiKeyExpired:
        return redirect(request, "/ui/keys", "The key has expired: make a new one.", "bad")
    return _show_once(request, session, signed_in, key, "The key is rotated.")


@router.post("/{key_id}/revoke")
def revoke(
    key_id: str, request: Request, signed_in: CurrentSignedIn, session: DbSession, origin: RequestOrigin
) -> Response:
    service.delete(session, signed_in.principal, key_id, origin)
    message = "The key is revoked. Gateways refuse it within 5 seconds."
    if not browser.is_htmx(request):
        return redirect(request, "/ui/keys", message)
    session.flush()
    page = service.list_page(session, signed_in.principal, _PAGE, None)
    return toast(render(request, "keys/table.html", **_listed(page, None)), message)


def _show_again(request: Request, session: Session, signed_in: SignedIn, form: Form) -> Response:
    choices = _choices(session, signed_in.principal)
    # htmx puts a page with this status in the form's place, and no other error.
    return render(request, _part(request, "keys/new.html"), status=422, form=form, **choices)


def _show_once(
    request: Request, session: Session, signed_in: SignedIn, key: KeyWithSecret, title: str
) -> Response:
    model_id = key.model_ids[0] if key.model_ids else _newest_model(session, signed_in.principal)
    return render(
        request,
        _part(request, "keys/made.html"),
        key=key,
        heading=title,
        address=browser.address_of(request),
        model_id=model_id,
        scope_names={scope: name for scope, name, _ in SCOPES},
    )


def _part(request: Request, page: str) -> str:
    """What htmx puts into the page that is there; without it the whole page."""
    return page.replace(".html", "_part.html") if browser.is_htmx(request) else page


def _as_body(values: dict[str, Any]) -> dict[str, Any]:
    body = without_blanks(values)
    days = body.pop("life_days", "")
    if days in {life for life, _ in LIVES if life}:
        body["expires_at"] = utc_now() + timedelta(days=int(days))
    # Without a single box nothing is chosen: the default would give what nobody chose.
    body["scopes"] = values["scopes"]
    return body


def _listed(page: Page[ApiKey], cursor: str | None) -> dict[str, Any]:
    return {
        "keys": page.items,
        "next_cursor": page.next_cursor,
        "is_first_page": cursor is None,
        "now": utc_now(),
        "graces": GRACES,
        "scope_names": {scope: name for scope, name, _ in SCOPES},
    }


def _choices(session: Session, owner: Principal) -> dict[str, Any]:
    return {"scopes": SCOPES, "lives": LIVES, "models": _own_models(session, owner)}


def _own_models(session: Session, owner: Principal) -> Sequence[ModelRow]:
    mine = select(ModelRow).where(ModelRow.owner_id == owner.user_id)
    return session.scalars(mine.order_by(ModelRow.created_at.desc()).limit(_MOST_MODELS)).all()


def _newest_model(session: Session, owner: Principal) -> str | None:
    return next((model.id for model in _own_models(session, owner)), None)
