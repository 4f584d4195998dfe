"""/help: the site that `make help-site` built, for everybody, and what stands there where nobody built it."""

import os
from pathlib import Path

import httpx
import pytest
from modelport_control_api.http import documentation
from modelport_crds.reasons import Reason

from tests.support.control_api import build_control_plane, client_of

SCRIPT = "assets/javascripts/bundle.0123abcd.min.js"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    monkeypatch.setattr(documentation, "SITE", folder)
    return folder


@pytest.fixture
def built(site: Path) -> Path:
    for name in ("index.html", "api/index.html", "404.html", SCRIPT, "search/search_index.json"):
        file = site / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"this is {name} " * 100)
    (site.parent / "secret.html").write_text("secret")
    (site / "link.html").symlink_to(site.parent / "secret.html")
    return site


def start(site: Path) -> None:
    site.mkdir()
    (site / "index.html").write_text("built")


async def get(sqlite_url: str, tmp_path: Path, path: str, **headers: str) -> httpx.Response:
    plane = build_control_plane(sqlite_url, tmp_path)
    async with client_of(plane.public) as api:
        return await api.get(path, headers=headers)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/help/", "text/html; charset=utf-8"),
        ("/help/api/", "text/html; charset=utf-8"),
        (f"/help/{SCRIPT}", "text/javascript; charset=utf-8"),
        ("/help/search/search_index.json", "application/json"),
    ],
)
@pytest.mark.parametrize("authorization", [None, "Bearer mlp_live_of-nobody", "Bearer eyJ.expired.token"])
async def test_it_is_everybodys(
    sqlite_url: str, tmp_path: Path, path: str, content_type: str, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    response = await get(sqlite_url, tmp_path, path, **headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Encoding"] == "gzip"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.usefixtures("built")
async def test_a_browser_caches_what_is_named_by_its_content_and_revalidates_the_rest(
    sqlite_url: str, tmp_path: Path
) -> None:
    script = await get(sqlite_url, tmp_path, f"/help/{SCRIPT}")
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    page = await get(sqlite_url, tmp_path, "/help/api/")
    assert page.headers["Cache-Control"] == "no-cache"
    again = await get(sqlite_url, tmp_path, "/help/api/", **{"If-None-Match": page.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("path", ["/help", "/help/api"])
async def test_a_folder_without_its_slash_leads_there_and_repeats_no_host(
    sqlite_url: str, tmp_path: Path, path: str
) -> None:
    response = await get(sqlite_url, tmp_path, path, Host="evil.example")
    assert (response.status_code, response.headers["Location"]) == (307, f"{path}/")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path",
    [
        "/help/nothing",
        "/help/../secret.html",
        "/help/%2e%2e/secret.html",
        "/help/..%2fsecret.html",
        "/help/%2fetc%2fhostname",
        "/help/..%5csecret.html",
        "/help/link.html",
        "/help/%00",
        f"/help/{'x' * 300}",
    ],
)
async def test_nothing_else_is_there(sqlite_url: str, tmp_path: Path, path: str) -> None:
    response = await get(sqlite_url, tmp_path, path)
    assert response.status_code == 404
    assert "secret" not in response.text.replace("secret.html", "")
    assert os.uname().nodename not in response.text


async def test_only_reading_is_allowed(sqlite_url: str, tmp_path: Path, built: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path)
    async with client_of(plane.public) as api:
        assert (await api.head("/help/")).status_code == 200
        refused = await api.post("/help/")
    assert refused.status_code == 405
    assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("path", ["/help/", "/help/reasons/"])
async def test_where_nobody_built_it_the_page_says_how_and_explains_each_reason(
    sqlite_url: str, tmp_path: Path, path: str
) -> None:
    page = await get(sqlite_url, tmp_path, path)
    assert page.status_code == 200
    assert "make help-site" in page.text
    assert all(f'id="{reason}"' in page.text for reason in Reason)
    assert (await get(sqlite_url, tmp_path, "/help/api/")).status_code == 404


async def test_it_is_shown_as_soon_as_it_is_built(sqlite_url: str, tmp_path: Path, site: Path) -> None:
    plane = build_control_plane(sqlite_url, tmp_path)
    async with client_of(plane.public) as api:
        assert "make help-site" in (await api.get("/help/")).text
        start(site)
        assert (await api.get("/help/")).text == "built"
