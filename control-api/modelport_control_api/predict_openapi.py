"""The prediction calls in /openapi.json: the gateway answers them, at the same public address.

Documentation only. Written by hand, because no code of the control API handles them.
"""

from typing import Any

from fastapi import FastAPI

from modelport_control_api.responses import ProblemBody

Document = dict[str, Any]

_ROW = {
    "description": "By name (object), by position (list) or a text (string).",
    "anyOf": [{"type": "object"}, {"type": "array", "items": {}}, {"type": "string"}],
}
_REQUEST = {
    "type": "object",
    "description": "One row in `input`, or many in `inputs`.",
    "properties": {
        "input": _ROW,
        "inputs": {"type": "array", "items": _ROW, "minItems": 1},
        "return": {
            "type": "array",
            "items": {"type": "string", "enum": ["prediction", "probabilities"]},
            "default": ["prediction"],
        },
    },
    "additionalProperties": False,
}
_ANSWER = {
    "type": "object",
    "properties": {
        "model": {"type": "string"},
        "version": {"type": "string"},
        "prediction": {"description": "Of the one row."},
        "predictions": {"type": "array", "items": {}, "description": "Of many rows, in order."},
        "probabilities": {"description": "Class to probability; a list of them for many rows."},
    },
    "required": ["model", "version"],
}
_PROBLEMS = {
    "400": "Not JSON",
    "401": "No or bad credential",
    "404": "None such, or somebody else's private model",
    "413": "The body is too large",
    "415": "The body is not declared as JSON",
    "422": "A field is missing, unknown or ill-typed: `errors` names each",
    "429": "Over the limit: try again after Retry-After",
    "500": "The model raised: `reason` is ModelError",
    "503": "No version is ready, or the queue is full",
    "504": "The model took too long",
}
_ANSWER_HEADERS = {
    "X-Modelport-Version": "The version that answered.",
    "X-Cache": "hit, miss or bypass.",
    "RateLimit": "What is left of the limit.",
    "RateLimit-Policy": "The limit.",
    "Server-Timing": "Time in the gateway and in the model.",
}


class DocumentedApp(FastAPI):
    """A FastAPI whose /openapi.json also has the prediction calls."""

    def openapi(self) -> Document:
        return add_predict_paths(super().openapi())


def add_predict_paths(document: Document) -> Document:
    """Give the OpenAPI document with the prediction calls added."""
    paths = {
        **document.get("paths", {}),
        "/predict/{model_id}": _path("predict", ["model_id"]),
        "/predict/{model_id}/versions/{version}": _path("predict_version", ["model_id", "version"]),
        "/api/v1/predict/{model_id}": _path("api_predict", ["model_id"]),
        "/api/v1/predict/{model_id}/versions/{version}": _path(
            "api_predict_version", ["model_id", "version"]
        ),
    }
    return {**document, "paths": paths}


def _path(operation_id: str, parameters: list[str]) -> Document:
    pinned = " of one version" if "version" in parameters else ""
    return {
        "post": {
            "tags": ["predictions"],
            "summary": f"Predict{pinned}",
            "operationId": operation_id,
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in parameters
            ],
            "requestBody": {"required": True, "content": _json(_REQUEST)},
            # Public models need no credential.
            "security": [{"Bearer": []}, {"ApiKey": []}, {}],
            "responses": {"200": _answered(), **_refused()},
        }
    }


def _answered() -> Document:
    headers = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in _ANSWER_HEADERS.items()
    }
    return {"description": "The prediction", "headers": headers, "content": _json(_ANSWER)}


def _refused() -> Document:
    schema = ProblemBody.model_json_schema()
    content = {"application/problem+json": {"schema": schema}}
    return {status: {"description": text, "content": content} for status, text in _PROBLEMS.items()}


def _json(schema: Document) -> Document:
    return {"application/json": {"schema": schema}}
