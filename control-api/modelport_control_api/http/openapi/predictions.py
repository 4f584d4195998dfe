"""The prediction calls, written by hand: no code of the control API handles the gateway's calls."""

from typing import Any

from modelport_crds.names import VERSION_NAME

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
    "schema": {"type": "string", "pattern": f"^{VERSION_NAME}$"},
    "description": "Pins the version, whatever the traffic.",
}
# Public models need no credential.
_SECURITY: list[Document] = [{"Bearer": []}, {"ApiKey": []}, {}]
_HEADERS = {
    "X-Modelport-Version": "The version that predicted.",
    "X-Cache": "hit, miss or bypass.",
    "RateLimit": "What is left of the limit.",
    "RateLimit-Policy": "The limit.",
    "Server-Timing": "Milliseconds in the gateway and in the model.",
}
ABOUT_MODEL = (401, 403, 404, 429, 502, 503, 504)
WITH_BODY = (*ABOUT_MODEL, 400, 413, 415, 422, 500)


def header(name: str, description: str) -> Document:
    """Describe an optional header of a request, whose value is a text."""
    return {"name": name, "in": "header", "schema": {"type": "string"}, "description": description}


def content(schema: Document, examples: dict[str, Any]) -> Document:
    """`examples`: summary → value."""
    named = {f"example_{n}": {"summary": k, "value": v} for n, (k, v) in enumerate(examples.items(), start=1)}
    return {"application/json": {"schema": schema, **({"examples": named} if named else {})}}


def ok_response(description: str, body: Document, *, headers: bool = False) -> Document:
    """Describe the response 200. `headers`: with those that the gateway adds."""
    described = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in (_HEADERS if headers else {}).items()
    }
    return {
        "200": {"description": description, "content": body, **({"headers": described} if headers else {})}
    }


def refused(*statuses: int) -> Document:
    """Describe the problems as OpenAPI's `responses`: by status as text, in ascending order."""
    return {str(status): described for status, described in sorted(problems(*statuses).items())}


def of_model(operation: Document, *, pinned: bool) -> Document:
    """Complete an operation on a model: its path parameters and what it takes to be let in."""
    parameters = [MODEL_ID, VERSION] if pinned else [MODEL_ID]
    return {**operation, "parameters": [*parameters, *operation.get("parameters", [])], "security": _SECURITY}


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
            "items": {"type": "string"},
            "default": ["prediction"],
            "description": "Names in the version's `signature.outputs`, as `contributions`.",
        },
    },
    "oneOf": [{"required": ["input"]}, {"required": ["inputs"]}],
    "additionalProperties": False,
}
_PREDICTION = {
    "type": "object",
    "properties": {
        "model": {"type": "string"},
        "version": {"type": "string"},
        "prediction": {"description": "Of the one row."},
        "predictions": {"type": "array", "items": {}, "description": "Of many rows, in order."},
        "probabilities": {
            "description": "Class to probability, or a list of such of several labels; a list for many rows."
        },
    },
    "additionalProperties": {"description": "Another output that was requested, by its name."},
    "required": ["model", "version"],
}
_FLOWER = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
_REQUESTS: dict[str, Any] = {
    "One row by name": {"input": _FLOWER},
    "One row by position": {"input": list(_FLOWER.values())},
    "Many rows, with probabilities": {
        "inputs": [list(_FLOWER.values()), [6.7, 3.0, 5.2, 2.3]],
        "return": ["prediction", "probabilities"],
    },
    "A text": {"input": "how good this is"},
}
_EXAMPLES: dict[str, Any] = {
    "One row": {"model": "iris-7kq2p", "version": "v1", "prediction": "setosa"},
    "Many rows, with probabilities": {
        "model": "iris-7kq2p",
        "version": "v1",
        "predictions": ["setosa", "virginica"],
        "probabilities": [{"setosa": 0.98, "virginica": 0.02}, {"setosa": 0.01, "virginica": 0.99}],
    },
}
_CACHE_CONTROL = header(
    "Cache-Control", "`no-cache` skips the cached response, `no-store` also does not keep the new one."
)
_SESSION = header(
    "X-Modelport-Session",
    "Requests with the same value stay on one version of a split, if the model is `sticky`.",
)


def paths() -> Document:
    """Return the prediction calls, with and without /api/v1, by path as OpenAPI's `paths`."""
    return {
        "/predict/{model_id}": _path("predict"),
        "/predict/{model_id}/versions/{version}": _path("predict_with_version", pinned=True),
        "/api/v1/predict/{model_id}": _path("api_predict"),
        "/api/v1/predict/{model_id}/versions/{version}": _path("api_predict_with_version", pinned=True),
    }


def _path(operation_id: str, *, pinned: bool = False) -> Document:
    operation = {
        "tags": ["predictions"],
        "summary": "Predict with one version" if pinned else "Predict",
        "operationId": operation_id,
        "parameters": [_CACHE_CONTROL] if pinned else [_CACHE_CONTROL, _SESSION],
        "requestBody": {"required": True, "content": content(_REQUEST, _REQUESTS)},
        "responses": {
            **ok_response("The prediction", content(_PREDICTION, _EXAMPLES), headers=True),
            **refused(*WITH_BODY),
        },
    }
    return {"post": of_model(operation, pinned=pinned)}
