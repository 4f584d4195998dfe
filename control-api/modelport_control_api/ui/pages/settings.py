"""One's own account: profile, address, password, its end, sessions and audit trail."""

from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response
from modelport_http.problem import Problem

from modelport_control_api import own_account
from modelport_control_api.accounts import audit
from modelport_control_api.accounts.auth import accounts, logins
from modelport_control_api.accounts.auth.logins import SessionNotFound
from modelport_control_api.accounts.auth.schemas import AccountChange, AccountEnd
from modelport_control_api.accounts.passwords import MIN_CHARACTERS
from modelport_control_api.accounts.wiring import Accounts
from modelport_control_api.batch.wiring import Batch
from modelport_control_api.errors import InvalidFields
from modelport_control_api.http.context import DbSession, RequestOrigin, find
from modelport_control_api.identity import Caller
from modelport_control_api.models.access import Models
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.ui import cookies
from modelport_control_api.ui.browser import describe
from modelport_control_api.ui.forms import Body, Form, parse, read_values
from modelport_control_api.ui.rendering import redirect, render
from modelport_control_api.ui.signed_in import CurrentSignedIn, SignedIn

router = APIRouter(prefix="/ui/settings", include_in_schema=False)
_AUDIT_PAGE = 50
# A page has each name once, and three of its forms ask for the current password.
_PASSWORD_OF_ADDRESS = {"current_password": "address_password"}
_PASSWORD_OF_END = {"current_password": "end_password"}


@dataclass(frozen=True, slots=True)
class ProfileForms:
    """The forms of the page, each as it was sent, or blank."""

    profile: Form = field(default_factory=Form)
    address: Form = field(default_factory=Form)
    password: Form = field(default_factory=Form)
    end: Form = field(default_factory=Form)


@router.get("")
async def show_profile(request: Request, signed_in: CurrentSignedIn) -> Response:
    return await _profile_page(request, signed_in, ProfileForms())


@router.post("/profile")
async def change_profile(
    request: Request, signed_in: CurrentSignedIn, services: Accounts, origin: RequestOrigin
) -> Response:
    values = await read_values(request)
    name = values.get("full_name", "").strip() or None
    parsed = parse(AccountChange, {"full_name": name}, shown=values)
    if parsed.body is None:
        return await _profile_page(request, signed_in, ProfileForms(profile=parsed.form), status=422)
    await accounts.change(services, signed_in.principal, parsed.body, origin)
    return redirect(request, "/ui/settings", "Your name is saved.")


@router.post("/address")
async def change_address(
    request: Request, signed_in: CurrentSignedIn, services: Accounts, origin: RequestOrigin
) -> Response:
    values = await read_values(request)
    given = {"email": values.get("email", "").strip(), "current_password": values.get("address_password", "")}
    try:
        await accounts.change(services, signed_in.principal, _checked(AccountChange, given), origin)
    except Problem as problem:
        form = Form({"email": given["email"]}).refused_by(problem).renamed(_PASSWORD_OF_ADDRESS)
        return await _refused(request, signed_in, ProfileForms(address=form), problem)
    return redirect(request, "/ui/settings", f"Sign in as {given['email']} from now on.")


@router.post("/password")
async def change_password(
    request: Request, signed_in: CurrentSignedIn, services: Accounts, origin: RequestOrigin
) -> Response:
    values = await read_values(request)
    given = {name: values.get(name, "") for name in ("current_password", "password")}
    given["revoke_api_keys"] = values.get("revoke_api_keys", "false")
    try:
        if not given["password"]:
            raise InvalidFields(("password", "is missing"))
        await accounts.change(services, signed_in.principal, _checked(AccountChange, given), origin)
    except Problem as problem:
        return await _refused(request, signed_in, ProfileForms(password=Form().refused_by(problem)), problem)
    ended = "API keys and other sessions" if given["revoke_api_keys"] == "true" else "other sessions"
    return redirect(request, "/ui/settings", f"Your password is changed, and all {ended} have ended.")


@router.post("/delete")
async def delete_account(  # noqa: PLR0917 - FastAPI gives each of them by name
    request: Request,
    signed_in: CurrentSignedIn,
    services: Accounts,
    models: Models,
    batch: Batch,
    origin: RequestOrigin,
) -> Response:
    values = await read_values(request)
    given = {
        "current_password": values.get("end_password", ""),
        "delete_models": values.get("delete_models") == "true",
    }
    caller = Caller(signed_in.principal, origin)
    try:
        await own_account.delete(services, models, batch, caller, _checked(AccountEnd, given))
    except Problem as problem:
        form = Form({"delete_models": values.get("delete_models")}).refused_by(problem)
        form = form.renamed(_PASSWORD_OF_END)
        return await _refused(request, signed_in, ProfileForms(end=form), problem)
    response = redirect(request, "/ui/login", "Your account is deleted.")
    cookies.clear_session(response)
    return response


@router.get("/sessions")
def show_sessions(request: Request, signed_in: CurrentSignedIn, session: DbSession) -> Response:
    own = logins.list_own(session, signed_in.principal)
    current = signed_in.principal.credential_id
    in_order = sorted(own.browsers, key=lambda each: each.id != current)
    browsers = [(each, describe(each.user_agent)) for each in in_order]
    return render(
        request, "settings/sessions.html", browsers=browsers, api_logins=own.api_logins, current=current
    )


@router.post("/sessions/end-others")
def end_other_sessions(
    request: Request, signed_in: CurrentSignedIn, session: DbSession, origin: RequestOrigin
) -> Response:
    logins.end_others(session, signed_in.principal, origin)
    return redirect(request, "/ui/settings/sessions", "All other sessions have ended.")


@router.post("/sessions/{session_id}/end")
def end_session(
    session_id: str,
    request: Request,
    signed_in: CurrentSignedIn,
    session: DbSession,
    origin: RequestOrigin,
) -> Response:
    try:
        logins.end(session, signed_in.principal, session_id.replace("\0", ""), origin)
    except SessionNotFound:
        raise Problem(status=404, detail="No such session: it may have ended already.") from None
    return redirect(request, "/ui/settings/sessions", "The session has ended.")


@router.get("/audit")
def show_audit(
    request: Request, signed_in: CurrentSignedIn, session: DbSession, cursor: str | None = None
) -> Response:
    page = audit.list_page(session, signed_in.principal, _AUDIT_PAGE, cursor)
    return render(request, "settings/audit.html", page=page, is_first_page=cursor is None)


def _checked(model: type[Body], given: dict[str, Any]) -> Body:
    """Raises InvalidFields."""
    parsed = parse(model, given)
    if parsed.body is None:
        raise InvalidFields(*parsed.form.errors.items())
    return parsed.body


async def _refused(request: Request, signed_in: SignedIn, forms: ProfileForms, problem: Problem) -> Response:
    return await _profile_page(request, signed_in, forms, status=problem.status, headers=problem.headers)


async def _profile_page(
    request: Request, signed_in: SignedIn, forms: ProfileForms, **context: Any
) -> Response:
    quota = await find(request, ModelsServices).holding(signed_in.principal.user_id)
    as_it_is = Form({"full_name": signed_in.full_name or ""})
    return render(
        request,
        "settings/profile.html",
        quota=quota,
        profile=forms.profile if forms.profile.values else as_it_is,
        address=forms.address,
        password=forms.password,
        end=forms.end,
        min_characters=MIN_CHARACTERS,
        **context,
    )
