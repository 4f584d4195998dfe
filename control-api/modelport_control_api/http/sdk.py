"""/sdk: the client of this very release for pip, as public as the documentation.

`/sdk/` is a page of links for users, pip and uv (their option `-f`), and an index as PEP 503 has it (`-i`).
"""

from html import escape

from fastapi import FastAPI
from modelport_http.problem import Problem
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from modelport_control_api.http.client_wheel import CLIENT, REQUIRES_PYTHON, Wheel, load

_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"


def add_sdk(app: FastAPI) -> None:
    """Add the index, the page of the one package in it, and the wheel."""
    # Starlette's routes: they respond to HEAD too, by which uv begins.
    for path, show in (("/sdk/", _index), (f"/sdk/{CLIENT}/", _package), ("/sdk/{name}", _wheel)):
        app.add_route(path, show, include_in_schema=False)


def _index(_: Request) -> Response:
    wheel = _required()
    return _page(
        "Python client",
        f"""<p>The client of this platform's release:</p>
<p><a href="{_link(wheel)}">{wheel.name}</a> · <a href="{CLIENT}/">{CLIENT}</a></p>
<p>Install it from this address: <code>pip install …/sdk/{wheel.name}</code>. It brings the SDK and the
<code>modelport</code> command. <a href="/help/python/">What it can do</a>.</p>""",
    )


def _package(_: Request) -> Response:
    wheel = _required()
    python = escape(REQUIRES_PYTHON)
    link = f'<a href="../{_link(wheel)}" data-requires-python="{python}">{wheel.name}</a>'
    return _page(CLIENT, link)


def _wheel(request: Request) -> Response:
    wheel = _required()
    if request.path_params["name"] != wheel.name:
        raise Problem(status=404, detail=f"There is no such file: this platform serves /sdk/{wheel.name}.")
    headers = {"ETag": f'"{wheel.sha256}"', "Cache-Control": "no-cache"}
    return Response(wheel.content, headers=headers, media_type="application/octet-stream")


def _required() -> Wheel:
    wheel = load()
    if wheel is None:
        raise Problem(
            status=404,
            detail=f"This platform was installed without its client: pip install {CLIENT} gets it from PyPI.",
        )
    return wheel


def _link(wheel: Wheel) -> str:
    """With the digest that pip compares."""
    return f"{wheel.name}#sha256={wheel.sha256}"


def _page(title: str, body: str) -> HTMLResponse:
    html = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · Modelport</title>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"})
