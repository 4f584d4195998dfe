"""The time zone that a browser says it is in."""

import pytest
from modelport_control_api.ui.cookies import read_time_zone
from starlette.requests import Request


def request_with(cookie: str | None) -> Request:
    headers = [] if cookie is None else [(b"cookie", f"modelport_timezone={cookie}".encode())]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize("name", ["Europe/Paris", "Asia/Kolkata", "Etc/GMT+5", "UTC"])
def test_a_known_one_counts(name: str) -> None:
    assert read_time_zone(request_with(name)) == name


@pytest.mark.parametrize(
    "given", [None, "", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe", "%00"]
)
def test_anything_else_is_utc(given: str | None) -> None:
    assert read_time_zone(request_with(given)) == "UTC"
