"""/docs, /redoc and /help from assets on this machine, as public as each other."""

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.metadata import version
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import (
    get_redoc_html,
    get_swagger_ui_html,
    get_swagger_ui_oauth2_redirect_html,
)
from modelport_crds.reasons import EXPLANATIONS
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# Only the package's files are used: its FastAPI subclass hides the settings that we set.
_ASSETS = Path(fastapi_offline.__file__).parent / "static"
# Below /docs, so that one ingress rule covers page and assets.
_ASSETS_URL = "/docs/assets"
_OAUTH2_REDIRECT_URL = "/docs/oauth2-redirect"
# Redoc's script shows its maker's logo, from their server: the only thing on the page from elsewhere.
_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
_NOTHING = b"data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def add_docs(app: FastAPI) -> None:
    """Add /docs and /redoc, both of /openapi.json, each with its own Content-Security-Policy."""
    pages = {
        "/docs": get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            oauth2_redirect_url=_OAUTH2_REDIRECT_URL,
            swagger_js_url=f"{_ASSETS_URL}/swagger-ui-bundle.js",
            swagger_css_url=f"{_ASSETS_URL}/swagger-ui.css",
            swagger_favicon_url=f"{_ASSETS_URL}/favicon.png",
            swagger_ui_parameters={"persistAuthorization": True},
        ),
        "/redoc": get_redoc_html(
            openapi_url="/openapi.json",
            title=app.title,
            redoc_js_url=_add_redoc_script(app),
            redoc_favicon_url=f"{_ASSETS_URL}/favicon.png",
            with_google_fonts=False,
        ),
        _OAUTH2_REDIRECT_URL: get_swagger_ui_oauth2_redirect_html(),
    }
    app.mount(_ASSETS_URL, StaticFiles(directory=_ASSETS), name="docs-assets")
    for path, page in pages.items():
        _add_page(app, path, page)


def _add_redoc_script(app: FastAPI) -> str:
    """Serve the script without the logo. Return its address, which has its package's version."""
    address = f"{_ASSETS_URL}/redoc.{version('fastapi-offline')}.js"

    # Read when it is wanted, in a thread: few open the page, and a megabyte takes its time.
    def show() -> Response:
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(_redoc_script(), media_type="text/javascript", headers=headers)

    app.add_api_route(address, show, include_in_schema=False)
    return address


def _redoc_script() -> bytes:
    return (_ASSETS / "redoc.standalone.js").read_bytes().replace(_LOGO, _NOTHING)


def _add_page(app: FastAPI, path: str, page: HTMLResponse) -> None:
    page.headers["Content-Security-Policy"] = _policy_for(bytes(page.body).decode())

    async def show() -> HTMLResponse:
        return page

    app.add_api_route(path, show, include_in_schema=False)


def _policy_for(html: str) -> str:
    """Allow what the page holds and nothing else: its inline script by digest, its assets from here."""
    digests = [
        b64encode(sha256(script.encode()).digest()).decode() for script in _INLINE_SCRIPT.findall(html)
    ]
    scripts = " ".join(["'self'", *(f"'sha256-{digest}'" for digest in digests)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'"
    )


SITE = Path(__file__).parents[1] / "help_site"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Named by their content: mkdocs-material does so, and docs/site/hooks.py.
_NEVER_CHANGES = re.compile(r"\.[0-9a-f]{8}\.min\.(?:js|css)$")


def add_help(app: FastAPI) -> None:
    """Mount the help site at /help. Where it is not built, one page with the reasons stands in for it."""
    app.mount("/help", GZipMiddleware(_HelpSite(SITE), minimum_size=1000, compresslevel=5), name="help")


class _HelpSite(StaticFiles):
    def __init__(self, site: Path) -> None:
        super().__init__(directory=site, html=True, check_dir=False)
        self._start_page = site / "index.html"

    async def check_config(self) -> None:
        """No folder is no mistake: it may also be built while the platform runs."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await self._find(path, scope)
        cached = "public, max-age=31536000, immutable" if _NEVER_CHANGES.search(path) else "no-cache"
        response.headers["Cache-Control"] = cached
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    async def _find(self, path: str, scope: Scope) -> Response:
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            # What a problem's `type` leads to is there in any case.
            if error.status_code == 404 and path in {".", "reasons"} and not self._start_page.exists():
                return HTMLResponse(_reasons_alone())
            raise


def _reasons_alone() -> str:
    reasons = "\n".join(
        f'<dt id="{reason}"><code>{reason}</code></dt><dd>{escape(text.meaning)} {escape(text.cure)}</dd>'
        for reason, text in EXPLANATIONS.items()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Help · Modelport</title>
</head>
<body>
<h1>Help</h1>
<p>The documentation is not built here. <code>make help-site</code> builds it in a checkout, and
this address then shows it; images and released packages bring it along.
<a href="/docs">The API's reference</a> is there.</p>
<h2>Reasons</h2>
<dl>
{reasons}
</dl>
</body>
</html>
"""
