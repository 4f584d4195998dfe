"""Signing in, registering, setting a password by a link, and signing out; and the token with which a page
calls the API.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from modelport_http.problem import Problem
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from modelport_control_api.accounts.auth import accounts, logins, throttle
from modelport_control_api.accounts.auth.schemas import Login, NewPassword, Registration
from modelport_control_api.accounts.passwords import MIN_CHARACTERS
from modelport_control_api.accounts.sessions.web_sessions import Browser
from modelport_control_api.accounts.tables import User
from modelport_control_api.accounts.wiring import Accounts, AccountServices
from modelport_control_api.http.context import RequestOrigin, get_context
from modelport_control_api.identity import Origin
from modelport_control_api.ui import browser, cookies
from modelport_control_api.ui.forms import Form, parse, read_values, without_blanks
from modelport_control_api.ui.rendering import redirect, render
from modelport_control_api.ui.signed_in import CurrentSignedIn

router = APIRouter(prefix="/ui", include_in_schema=False)

_NEEDS_HTTPS = (
    "This browser came over plain http, which would show your session to everybody on the way. Open the "
    "https address, or start the platform with --tls-cert and --tls-key, or tunnel to it: "
    "ssh -L 8000:localhost:8000 HOST, then http://localhost:8000/ui/."
)


@router.get("")
async def lead_home() -> Response:
    return RedirectResponse(browser.HOME)


@router.get("/login")
async def show_sign_in(request: Request, next: str | None = None) -> Response:
    return _sign_in_page(request, Form(), browser.safe_next(next))


@router.post("/login")
async def sign_in(request: Request, services: Accounts, origin: RequestOrigin) -> Response:
    values = await read_values(request)
    there = browser.safe_next(values.pop("next", None))
    parsed = parse(Login, values)
    if parsed.body is None:
        return _sign_in_page(request, parsed.form, there, status=422)
    email, password = parsed.body.email, parsed.body.password.get_secret_value()
    try:
        _require_private_way(request)
        user = await logins.check_password(services, email, password, origin)
        return await _signed_in(request, services, user, origin, there)
    except Problem as problem:
        return _refused(_sign_in_page, request, parsed.form, there, problem)


@router.get("/register")
async def show_registration(request: Request, next: str | None = None, invite: str | None = None) -> Response:
    return _registration_page(request, Form({"invite": invite}), browser.safe_next(next))


@router.post("/register")
async def register(request: Request, services: Accounts, origin: RequestOrigin) -> Response:
    values = await read_values(request)
    there = browser.safe_next(values.pop("next", None))
    parsed = parse(Registration, without_blanks(values), shown=values)
    if parsed.body is None:
        return _registration_page(request, parsed.form, there, status=422)
    try:
        _require_private_way(request)
        await throttle.registration(services, origin)
        user = await accounts.register(services, parsed.body, origin)
        return await _signed_in(request, services, user, origin, there)
    except Problem as problem:
        return _refused(_registration_page, request, parsed.form, there, problem)


@router.get("/password")
async def show_new_password(request: Request) -> Response:
    return _password_page(request, Form())


@router.post("/password")
async def set_password(request: Request, services: Accounts, origin: RequestOrigin) -> Response:
    values = await read_values(request)
    # Without a script users paste the whole link.
    values["token"] = values.get("token", "").strip().rpartition("#")[2]
    parsed = parse(NewPassword, values)
    if parsed.body is None:
        return _password_page(request, parsed.form, status=422)
    try:
        _require_private_way(request)
        await accounts.set_password(services, parsed.body, origin)
    except Problem as problem:
        return _password_page(request, parsed.form.refused_by(problem), status=problem.status)
    return redirect(request, "/ui/login", "Your password is set. Sign in with it.")


@router.post("/logout")
def sign_out(
    request: Request, signed_in: CurrentSignedIn, services: Accounts, origin: RequestOrigin
) -> Response:
    logins.sign_out(services, signed_in.principal, origin)
    response = redirect(request, "/ui/login", "You are signed out.")
    cookies.clear_session(response)
    return response


@router.post("/access-token")
async def issue_access_token(signed_in: CurrentSignedIn, services: Accounts) -> dict[str, Any]:
    """For `fetch` of this page to /api/v1 and /predict, which take no cookie. Kept in memory only."""
    token, seconds = logins.issue_access_token(services, signed_in.principal)
    return {"access_token": token, "token_type": "bearer", "expires_in": seconds}


def _require_private_way(request: Request) -> None:
    """Raises a 403 problem where the session's cookie would cross a network in clear."""
    if not browser.came_over_https(request) and not browser.is_loopback(request):
        raise Problem(status=403, detail=_NEEDS_HTTPS)


async def _signed_in(
    request: Request, services: AccountServices, user: User, origin: Origin, there: str
) -> Response:
    device = Browser(origin.ip, request.headers.get("user-agent", ""))
    old_token = cookies.read_session(request)
    token = await run_in_threadpool(logins.sign_in, services, user, device, origin, old_token)
    response = redirect(request, there)
    cookies.set_session(response, token, secure=browser.came_over_https(request))
    return response


def _refused(page: Any, request: Request, form: Form, there: str, problem: Problem) -> Response:
    headers = {name: value for name, value in problem.headers.items() if name != "WWW-Authenticate"}
    response: Response = page(
        request, form.refused_by(problem), there, status=problem.status, headers=headers
    )
    return response


def _sign_in_page(request: Request, form: Form, there: str, **context: Any) -> Response:
    return render(request, "sign_in.html", form=form, next=there, mode=_mode(request), **context)


def _registration_page(request: Request, form: Form, there: str, **context: Any) -> Response:
    return render(
        request,
        "register.html",
        form=form,
        next=there,
        mode=_mode(request),
        min_characters=MIN_CHARACTERS,
        **context,
    )


def _password_page(request: Request, form: Form, **context: Any) -> Response:
    return render(request, "password.html", form=form, min_characters=MIN_CHARACTERS, **context)


def _mode(request: Request) -> str:
    return get_context(request).settings.registration
