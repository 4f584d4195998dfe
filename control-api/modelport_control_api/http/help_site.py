"""The documentation at /help, public as /docs is. A checkout has none until `make help-site` builds it."""

import re
from html import escape
from pathlib import Path

from fastapi import FastAPI
from modelport_crds.reasons import EXPLANATIONS
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

SITE = Path(__file__).parents[1] / "help_site"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Named by their content: mkdocs-material does so, and docs/site/hooks.py.
_NEVER_CHANGES = re.compile(r"\.[0-9a-f]{8}\.min\.(?:js|css)$")


def add_help(app: FastAPI) -> None:
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
