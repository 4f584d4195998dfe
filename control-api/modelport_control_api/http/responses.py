"""How error responses are described in /openapi.json."""

from typing import Any

from fastapi import Response
from pydantic import BaseModel, Field

Responses = dict[int | str, dict[str, Any]]


class FieldError(BaseModel):
    field: str
    message: str


class SignatureChange(BaseModel):
    """One thing that callers of another version depend on and that differs."""

    what: str = Field(description="Such as `input_removed`, `input_added`, `input_type`, `classes_removed`.")
    name: str = Field(description="Of the input or output; empty: of neither.")
    before: str = Field(description="What the other version takes or gives, as text.")
    after: str
    message: str = Field(description="All of it in words.")


class Compatibility(BaseModel):
    """How a version compares with another one, whose callers it is to get."""

    compatible_with: str = Field(description="The other one.")
    changes: list[SignatureChange] = Field(description="Empty: its callers can call this one instead.")
    more: int = Field(description="Changes beyond those that are listed.")


class Problem(BaseModel):
    """RFC 9457 `application/problem+json`."""

    type: str = Field(
        "about:blank",
        description="With a `reason` the address of the page about it, often relative to the request's.",
    )
    title: str
    status: int
    detail: str
    request_id: str
    reason: str | None = None
    errors: list[FieldError] | None = None
    differences: dict[str, Compatibility] | None = Field(
        None, description="With the reason SignatureChanged: by version, what differs."
    )


_MEANINGS = {
    400: "The body is not valid JSON, or breaks off",
    401: "No credential, or one that is unknown, expired or revoked",
    403: "The credential is not for this",
    404: "None such, or it is not yours",
    409: "It conflicts with the current state: `detail` has the reason",
    410: "It was there, and is no longer kept",
    413: "The body is too large",
    415: "The body is of another content type",
    422: "`errors` names each field that is wrong",
    429: "Over the limit: try again after Retry-After",
    500: "The model raised: `reason` is ModelError",
    502: "The model returned something that is no valid response",
    503: "It cannot be served now: see `reason`",
    504: "The model took too long",
    507: "The platform's disk is full",
}
_HEADERS = {
    401: ("WWW-Authenticate", "How to authenticate."),
    429: ("Retry-After", "Seconds until the next try may succeed."),
    503: ("Retry-After", "Seconds until the next try may succeed."),
}
JSON_BODY = (400, 413, 415, 422)
"""What any call that takes a JSON body may respond with."""
CREDENTIAL = (401, 403)
"""What any call that needs a credential may respond with."""
UPLOAD = (*JSON_BODY, 429, 507)
"""What any call that takes a model file may respond with."""


async def never_stored(response: Response) -> None:
    """A dependency for calls that return secrets: no cache on the way may keep them (RFC 6749, 5.1)."""
    response.headers["Cache-Control"] = "no-store"


def problems(*statuses: int) -> Responses:
    """Describe those problems, as FastAPI's `responses`."""
    return {status: _described(status) for status in statuses}


def _described(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    described: dict[str, Any] = {
        "description": _MEANINGS[status],
        "content": {"application/problem+json": {"schema": schema}},
    }
    if header := _HEADERS.get(status):
        name, text = header
        described["headers"] = {name: {"description": text, "schema": {"type": "string"}}}
    return described
