"""The line that one page leaves for the next, in a cookie that anybody can write."""

import json
from base64 import urlsafe_b64encode

import pytest
from modelport_control_api.ui.cookies import Flash, read_flash, set_flash
from starlette.requests import Request
from starlette.responses import Response


def request_with(value: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", f"modelport_flash={value}".encode())]})


def encoded(kept: object) -> str:
    return urlsafe_b64encode(json.dumps(kept).encode()).decode()


def test_it_is_read_as_it_was_set() -> None:
    response = Response()
    set_flash(response, Flash("Your name is saved.", "bad"))
    value = response.headers["set-cookie"].partition("=")[2].partition(";")[0]
    assert read_flash(request_with(value.strip('"'))) == Flash("Your name is saved.", "bad")


def test_an_unknown_tone_is_neutral() -> None:
    assert read_flash(request_with(encoded(["Saved.", ["good"]]))) == Flash("Saved.", "neutral")


@pytest.mark.parametrize("kept", [1, None, "good", {}, ["Saved."], [1, "good"], ["a", "good", "b"]])
def test_what_is_not_its_form_is_nothing(kept: object) -> None:
    assert read_flash(request_with(encoded(kept))) is None


@pytest.mark.parametrize("value", ["", "_", "bm9uZQ", "gICA"])
def test_what_cannot_be_decoded_is_nothing(value: str) -> None:
    assert read_flash(request_with(value)) is None
