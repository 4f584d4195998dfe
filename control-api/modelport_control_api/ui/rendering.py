"""From a template to a response. Every page gets who is signed in, the theme and a CSRF token."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from modelport_control_api.ui import audit_words, cookies, outcomes, shown, static_files
from modelport_control_api.ui.browser import is_htmx
from modelport_control_api.ui.cookies import Flash, Tone

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals["static"] = static_files.url_of
for _filters in (shown.FILTERS, audit_words.FILTERS, outcomes.FILTERS):
    _ENVIRONMENT.filters.update(_filters)


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """Respond with a page or, for htmx, a part of one. Only whole pages show the message of `redirect`."""
    signed_in = getattr(request.state, "signed_in", None)
    flash = None if is_htmx(request) else cookies.read_flash(request)
    html = _ENVIRONMENT.get_template(template).render(
        signed_in=signed_in,
        csrf_token=signed_in.csrf_token if signed_in else "",
        path=request.url.path,
        theme=cookies.read_theme(request),
        flash=flash,
        **context,
    )
    response = HTMLResponse(html, status, headers)
    if flash:
        cookies.clear_flash(response)
    return response


def redirect(request: Request, path: str, flash: str | None = None, tone: Tone = "good") -> Response:
    """Lead to another page after a change, by htmx or without; `flash` is shown there."""
    response: Response
    if is_htmx(request):
        response = Response(headers={"HX-Redirect": path})
    else:
        response = RedirectResponse(path, status_code=303)
    if flash:
        cookies.set_flash(response, Flash(flash, tone))
    return response


def toast(response: Response, text: str, tone: Tone = "good") -> Response:
    """Show it on the page that stays, when htmx has put the response into it."""
    response.headers["HX-Trigger"] = json.dumps({"toast": {"text": text, "tone": tone}})
    return response
