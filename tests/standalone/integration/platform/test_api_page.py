"""docs/api.md names every call that the platform has, and no other."""

import re
from pathlib import Path
from typing import Any

import httpx

PAGE = (Path(__file__).parents[4] / "docs" / "api.md").read_text()
CALL = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[\w/.{}-]*)")


def plain(path: str) -> str:
    """Parameters have one name on the page and another in the schema."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_the_page_names_every_call_and_no_other(platform: Any) -> None:
    paths = httpx.get(f"{platform.url}/openapi.json", timeout=60).json()["paths"]
    served = {(method.upper(), plain(path)) for path, calls in paths.items() for method in calls}
    named = {(method, plain(path)) for method, path in CALL.findall(PAGE)}
    twins = {
        (method, path)
        for method, path in served
        if path.startswith(("/predict/{}/versions", "/v2/models/{}/versions", "/api/v1/predict/{}/versions"))
    }
    assert served - twins - named == set()
    assert named - served - {("GET", "/docs"), ("GET", "/redoc"), ("GET", "/openapi.json")} == set()
