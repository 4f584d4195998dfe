"""What a caller is told of a wrong field is in our words, whatever pydantic finds wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from modelport_control_api.http.problems import field_errors
from modelport_control_api.models.schemas import ModelChange
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.ui.forms import parse
from modelport_process.pydantic_words import predicate_of
from pydantic import ValidationError

OURS = {"value_error", "assertion_error", "json_invalid"}
JUNK: tuple[Any, ...] = (
    None, True, 1.5, -(10**12), 10**12, float("nan"), "", "1.5", "x" * 20_000, "\ud800", "[]", "2026-01-01",
    "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", [], [None] * 300, {}, {"no such": 1},
)  # fmt: skip
LONG, REDACTED = ["x"] * 101, "history.redact_fields"


def routes(plane: ControlPlane) -> list[APIRoute]:
    return [
        each for app in (plane.public, plane.internal) for each in app.routes if isinstance(each, APIRoute)
    ]


def names(plane: ControlPlane) -> set[str]:
    schemas = plane.public.openapi()["components"]["schemas"].values()
    return {name for schema in schemas for name in schema.get("properties", ())}


def bodies(known: set[str]) -> Iterator[Any]:
    """Junk for the body itself, for each of its fields, and for the fields and items of these."""
    for junk in JUNK:
        inner = dict.fromkeys(known, junk)
        yield from (junk, inner, dict.fromkeys(known, inner), {name: [junk] for name in known})


def refusals(route: APIRoute, known: set[str]) -> Iterator[Mapping[str, Any]]:
    for each in with_dependencies(route.dependant):
        for field in (*each.query_params, *each.path_params, *each.header_params, *each.cookie_params):
            for junk in JUNK:
                yield from field.validate(junk)[1]
        for field in each.body_params:
            for junk in bodies(known):
                yield from field.validate(junk)[1]


def with_dependencies(one: Dependant) -> Iterator[Dependant]:
    yield one
    for below in one.dependencies:
        yield from with_dependencies(below)


def test_whatever_is_refused_has_words_of_ours(control_plane: ControlPlane) -> None:
    known = names(control_plane)
    found = [entry for route in routes(control_plane) for entry in refusals(route, known)]
    assert len({entry["type"] for entry in found}) > 15
    assert {entry["type"] for entry in found if not predicate_of(entry)} <= OURS


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"timeout_seconds": 601}, "timeout_seconds", "must be 600 or less"),
        ({"timeout_seconds": 0}, "timeout_seconds", "must be 1 or more"),
        ({"timeout_seconds": "soon"}, "timeout_seconds", "must be a whole number"),
        ({"access": "friends"}, "access", "must be private, authenticated or public"),
        ({"name": ""}, "name", "must have at least 1 character"),
        ({"name": "x" * 101}, "name", "must have at most 100 characters"),
        ({"naem": "x"}, "naem", "is not a known field"),
        ({"rate_limit": {}}, "rate_limit.requests", "is missing"),
        ({"rate_limit": 5}, "rate_limit", "must be an object"),
        ({"history": {"percent": 5, "redact_fields": "x"}}, REDACTED, "must be a list"),
        ({"history": {"percent": 5, "redact_fields": LONG}}, REDACTED, "must have at most 100 items"),
        ({"name": None}, "name", "must not be null; leave it out to keep it as it is"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_setting(change: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        ModelChange.model_validate(change)
    assert field_errors(raised.value.errors()) == [{"field": field, "message": said}]


def test_a_form_says_the_same_beside_its_field() -> None:
    parsed = parse(ModelChange, {"timeout_seconds": "9999"})
    assert parsed.form.errors == {"timeout_seconds": "must be 600 or less"}
