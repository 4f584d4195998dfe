"""What the pages are made of: vendored libraries, style sheets and scripts, templates without inline code."""

import hashlib
import json
import re
from pathlib import Path

import httpx
import modelport_control_api.ui
import pytest
from modelport_control_api.ui import static_files

from tests.support.control_api import build_control_plane, client_of

UI = Path(modelport_control_api.ui.__file__).parent
VENDOR = UI / "static" / "vendor"
TEMPLATES = sorted((UI / "templates").rglob("*.html"))


def test_vendored_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    reported = {
        f"{library['name']}/{name}": digest
        for library in manifest["libraries"]
        for name, digest in library["sha256"].items()
    }
    there = {
        file.relative_to(VENDOR).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in VENDOR.glob("*/*")
    }
    assert there == reported
    assert all(f"{library['name']}/LICENSE" in reported for library in manifest["libraries"])


def test_the_lock_pins_what_is_vendored_and_names_no_registry() -> None:
    text = (UI.parents[1] / "ui-vendor" / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    for library in json.loads((VENDOR / "manifest.json").read_text())["libraries"]:
        locked = packages[f"node_modules/{library['name']}"]
        assert locked["version"] == library["version"]
        assert locked["integrity"].startswith("sha512-")
    assert "://" not in text


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.relative_to(UI).as_posix())
def test_no_template_has_inline_code_or_unescaped_text(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|\|\s*safe\b", text)
    assert "http://" not in re.sub(r"http://127\.0\.0\.1|http://localhost", "", text)


async def test_files_are_kept_by_browsers_and_others_are_not_there(api: httpx.AsyncClient) -> None:
    sheet = await api.get(static_files.url_of("ui.css"))
    assert sheet.headers["Content-Encoding"] == "gzip"
    assert "immutable" in sheet.headers["Cache-Control"]
    assert (await api.get("/ui/static/other/ui.css")).headers["Cache-Control"] == "no-cache"
    for name in ("nothing.css", "..%2fpart.py", "%2e%2e/part.py", "vendor/manifest.json", "ui.css%00"):
        assert (await api.get(f"/ui/static/{static_files.VERSION}/{name}")).status_code == 404, name


async def test_pages_have_a_strict_policy_and_are_never_stored(api: httpx.AsyncClient) -> None:
    for path in ("/ui/login", "/ui/nothing"):
        page = await api.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["Cache-Control"] == "no-store"
        # With no-referrer browsers would send "Origin: null" with our own forms.
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["Content-Type"].startswith("text/html")


async def test_a_database_that_is_away_is_a_page_with_the_request_id(tmp_path: Path) -> None:
    plane = build_control_plane("postgresql://nobody@127.0.0.1:1/none", tmp_path)
    async with client_of(plane.public, scheme="https") as web:
        headers = {"X-Request-ID": "away-1", "Cookie": "__Host-modelport=anything"}
        page = await web.get("/ui/keys", headers=headers)
        htmx = await web.get("/ui/keys", headers=headers | {"HX-Request": "true"})
    assert page.status_code == htmx.status_code == 503
    assert page.headers["Retry-After"]
    assert "Not available just now" in page.text
    assert "away-1" in page.text
    # Text: it is shown as such.
    assert htmx.text == "The platform's database does not answer. Try again shortly. (request away-1)"
