"""/docs and /redoc from assets on this machine: FastAPI's own pages load theirs from a CDN."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import (
    get_redoc_html,
    get_swagger_ui_html,
    get_swagger_ui_oauth2_redirect_html,
)
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

# Only the package's files are used: its FastAPI subclass hides the settings that we set.
_ASSETS = Path(fastapi_offline.__file__).parent / "static"
# Below /docs, so that one ingress rule covers page and assets.
_ASSETS_URL = "/docs/assets"
_OAUTH2_REDIRECT_URL = "/docs/oauth2-redirect"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def add_docs(app: FastAPI) -> None:
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
            redoc_js_url=f"{_ASSETS_URL}/redoc.standalone.js",
            redoc_favicon_url=f"{_ASSETS_URL}/favicon.png",
            with_google_fonts=False,
        ),
        _OAUTH2_REDIRECT_URL: get_swagger_ui_oauth2_redirect_html(),
    }
    app.mount(_ASSETS_URL, StaticFiles(directory=_ASSETS), name="docs-assets")
    for path, page in pages.items():
        _add_page(app, path, page)


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
