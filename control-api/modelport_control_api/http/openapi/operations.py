"""Operations written by hand: no code of the control API handles the gateway's calls."""

from typing import Any

from modelport_control_api.http.responses import problems

Document = dict[str, Any]

MODEL_ID: Document = {
    "name": "model_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The model's `id`, for example iris-7kq2p.",
}
VERSION: Document = {
    "name": "version",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^v[1-9][0-9]{0,5}$"},
    "description": "Pins the version, whatever the traffic.",
}
# Public models need no credential.
_SECURITY: list[Document] = [{"Bearer": []}, {"ApiKey": []}, {}]
_HEADERS = {
    "X-Modelport-Version": "The version that answered.",
    "X-Cache": "hit, miss or bypass.",
    "RateLimit": "What is left of the limit.",
    "RateLimit-Policy": "The limit.",
    "Server-Timing": "Milliseconds in the gateway and in the model.",
}
ABOUT_MODEL = (401, 403, 404, 429, 502, 503, 504)
WITH_BODY = (*ABOUT_MODEL, 400, 413, 415, 422, 500)


def header(name: str, description: str) -> Document:
    return {"name": name, "in": "header", "schema": {"type": "string"}, "description": description}


def content(schema: Document, examples: dict[str, Any]) -> Document:
    """`examples`: summary → value."""
    named = {f"example_{n}": {"summary": k, "value": v} for n, (k, v) in enumerate(examples.items(), start=1)}
    return {"application/json": {"schema": schema, **({"examples": named} if named else {})}}


def answered(description: str, body: Document, *, headers: bool = False) -> Document:
    described = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in (_HEADERS if headers else {}).items()
    }
    return {
        "200": {"description": description, "content": body, **({"headers": described} if headers else {})}
    }


def refused(*statuses: int) -> Document:
    return {str(status): described for status, described in sorted(problems(*statuses).items())}


def of_model(operation: Document, *, pinned: bool) -> Document:
    """Complete an operation on a model: its path parameters and what it takes to be let in."""
    parameters = [MODEL_ID, VERSION] if pinned else [MODEL_ID]
    return {**operation, "parameters": [*parameters, *operation.get("parameters", [])], "security": _SECURITY}
