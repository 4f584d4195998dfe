"""One's own account: profile, password, sessions and audit trail."""

from typing import Any

from fastapi import APIRouter, Request, Response
from modelport_http.problem import Problem

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.auth import accounts, logins
from modelport_control_api.accounts.auth.logins import SessionNotFound
from modelport_control_api.accounts.auth.schemas import AccountChange
from modelport_control_api.accounts.passwords import MIN_CHARACTERS
from modelport_control_api.accounts.wiring import Accounts, AccountServices
from modelport_control_api.http.context import DbSession, RequestOrigin, find
from modelport_control_api.identity import Origin
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.ui.browser import describe
from modelport_control_api.ui.forms import Form, parse, read_values
from modelport_control_api.ui.rendering import redirect, render
from modelport_control_api.ui.signed_in import CurrentSignedIn, SignedIn

router = APIRouter(prefix="/ui/settings", include_in_schema=False)
_AUDIT_PAGE = 50


@router.get("")
async def show_profile(request: Request, signed_in: CurrentSignedIn) -> Response:
    return await _profile_page(request, signed_in, _profile_form(signed_in), Form())


@router.post("/profile")
async def change_profile(
    request: Request, signed_in: CurrentSignedIn, services: Accounts, origin: RequestOrigin
) -> Response:
    values = await read_values(request)
    name = values.get("full_name", "").strip() or None
    parsed = parse(AccountChange, {"full_name": name}, shown=values)
    if parsed.body is None:
        return await _profile_page(request, signed_in, parsed.form, Form(), status=422)
    await accounts.change(services, signed_in.principal, parsed.body, origin)
    return redirect(request, "/ui/settings", "Your name is saved.")


@router.post("/password")
async def change_password(
    request: Request, signed_in: CurrentSignedIn, services: Accounts, origin: RequestOrigin
) -> Response:
    values = await read_values(request)
    given = {name: values.get(name, "") for name in ("current_password", "password")}
    given["revoke_api_keys"] = values.get("revoke_api_keys", "false")
    try:
        await _change_password(services, signed_in, given, origin)
    except Problem as problem:
        refused = Form().refused_by(problem)
        return await _profile_page(
            request,
            signed_in,
            _profile_form(signed_in),
            refused,
            status=problem.status,
            headers=problem.headers,
        )
    ended = "API keys and other sessions" if given["revoke_api_keys"] == "true" else "other sessions"
    return redirect(request, "/ui/settings", f"Your password is changed, and all {ended} have ended.")


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


async def _change_password(
    services: AccountServices, signed_in: SignedIn, given: dict[str, str], origin: Origin
) -> None:
    """Raises a problem."""
    parsed = parse(AccountChange, given)
    if not given["password"]:
        raise Problem(status=422, detail="", errors=[{"field": "password", "message": "is missing"}])
    if parsed.body is None:
        errors = [{"field": name, "message": text} for name, text in parsed.form.errors.items()]
        raise Problem(status=422, detail="", errors=errors)
    await accounts.change(services, signed_in.principal, parsed.body, origin)


def _profile_form(signed_in: SignedIn) -> Form:
    return Form({"full_name": signed_in.full_name or ""})


async def _profile_page(
    request: Request, signed_in: SignedIn, profile: Form, password: Form, **context: Any
) -> Response:
    quota = await find(request, ModelsServices).holding(signed_in.principal.user_id)
    return render(
        request,
        "settings/profile.html",
        quota=quota,
        profile=profile,
        password=password,
        min_characters=MIN_CHARACTERS,
        **context,
    )
