"""What all of /ui shares: its headers, compression, the check of origins, and errors as pages."""

from urllib.parse import quote, urlsplit

from modelport_http.problem import Problem, problem_of
from modelport_process.logging import request_id_of
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelport_control_api.ui import browser
from modelport_control_api.ui.rendering import render
from modelport_control_api.ui.signed_in import SignInNeeded

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # Not no-referrer, as the API has it: browsers would then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}


class UiShell:
    """Goes directly below `ProblemMiddleware`; lets everything outside of /ui pass."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._compressed = GZipMiddleware(self._respond, minimum_size=1000, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_ours(scope["path"]):
            await self._compressed(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_as_page(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope, receive)
        try:
            browser.require_same_origin(request)
            await self.app(scope, receive, send_as_page)
        except ClientDisconnect:
            raise
        except Exception as error:
            if begun:
                raise
            await _explain(request, error)(scope, receive, send_as_page)


def _is_ours(path: str) -> bool:
    return path == "/ui" or path.startswith("/ui/")


def _explain(request: Request, error: Exception) -> Response:
    if isinstance(error, SignInNeeded):
        return _lead_to_sign_in(request)
    problem = problem_of(error, path=request.url.path, request_id=request_id_of(request.scope))
    if browser.wants_json(request):
        raise problem
    return _page_of(request, problem)


def _page_of(request: Request, problem: Problem) -> Response:
    """For htmx only the sentence, which is shown above the page (static/ui.js)."""
    request_id = request_id_of(request.scope)
    if browser.is_htmx(request):
        line = f"{problem.detail} (request {request_id})" if problem.status >= 500 else problem.detail
        return PlainTextResponse(line, problem.status, problem.headers)
    return render(
        request,
        "error.html",
        status=problem.status,
        headers=problem.headers,
        problem=problem,
        request_id=request_id,
    )


def _lead_to_sign_in(request: Request) -> Response:
    if browser.is_htmx(request) or browser.wants_json(request):
        # The page that the person sees, not the fragment that it requested.
        shown = urlsplit(request.headers.get("hx-current-url", ""))
        return Response(status_code=401, headers={"HX-Redirect": _sign_in_url(shown.path, shown.query)})
    if request.method in browser.SAFE_METHODS:
        return RedirectResponse(_sign_in_url(request.url.path, request.url.query), status_code=303)
    return RedirectResponse("/ui/login", status_code=303)


def _sign_in_url(path: str, query: str) -> str:
    there = browser.safe_next(f"{path}?{query}" if query else path)
    return "/ui/login" if there == browser.HOME else f"/ui/login?next={quote(there, safe='/')}"
