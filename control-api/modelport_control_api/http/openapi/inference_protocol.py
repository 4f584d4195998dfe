"""The Open Inference Protocol's calls, as clients of KServe and Triton make them."""

from modelport_control_api.http.openapi.predictions import (
    ABOUT_MODEL,
    WITH_BODY,
    Document,
    content,
    of_model,
    ok_response,
    refused,
)

_TENSOR = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "datatype": {"type": "string", "examples": ["FP64", "INT64", "BYTES", "BOOL"]},
        "data": {"type": "array", "items": {}},
    },
    "required": ["name", "shape", "datatype", "data"],
}
_REQUEST = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "inputs": {"type": "array", "items": _TENSOR, "minItems": 1},
        "outputs": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["inputs"],
}
_FLOWER = {
    "inputs": [{"name": "input", "shape": [1, 4], "datatype": "FP64", "data": [5.1, 3.5, 1.4, 0.2]}],
}
_INFERENCE = {
    "type": "object",
    "properties": {
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "outputs": {"type": "array", "items": _TENSOR},
    },
    "required": ["model_name", "outputs"],
}
_METADATA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "versions": {"type": "array", "items": {"type": "string"}},
        "platform": {"type": "string"},
        "inputs": {"type": "array", "items": {"type": "object"}},
        "outputs": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["name", "platform", "inputs", "outputs"],
}
_OBJECT = {"type": "object"}
_TENSORS = {
    "application/octet-stream": {
        "schema": {
            "type": "string",
            "format": "binary",
            "description": "JSON, as long as Inference-Header-Content-Length, and binary tensors behind it.",
        }
    }
}


def paths() -> Document:
    """Return the calls about the server and about models, by path as OpenAPI's `paths`."""
    return {
        "/v2": _server("v2_metadata", "The server"),
        "/v2/health/live": _server("v2_live", "Is it up"),
        "/v2/health/ready": _server("v2_ready", "Can it serve", 503),
        **_of_models("", pinned=False),
        **_of_models("/versions/{version}", pinned=True),
    }


def _server(operation_id: str, summary: str, *problems: int) -> Document:
    responses = {**ok_response("It is", content(_OBJECT, {})), **_refused(*problems)}
    return {"get": _named(operation_id, summary, responses)}


def _of_models(below: str, *, pinned: bool) -> Document:
    base, end = f"/v2/models/{{model_id}}{below}", "_with_version" if pinned else ""
    metadata = _model_call(f"v2_model{end}", "Inputs and outputs", _METADATA)
    config = _model_call(f"v2_model_config{end}", "The same in Triton's words", _OBJECT)
    ready = _model_call(f"v2_model_ready{end}", "Can the model predict", _OBJECT)
    return {
        base: {"get": of_model(metadata, pinned=pinned)},
        f"{base}/config": {"get": of_model(config, pinned=pinned)},
        f"{base}/ready": {"get": of_model(ready, pinned=pinned)},
        f"{base}/infer": {"post": of_model(_infer(f"v2_infer{end}"), pinned=pinned)},
    }


def _refused(*statuses: int) -> Document:
    """KServe's client reads errors of `application/json` only; who accepts the other type gets that."""
    described = refused(*statuses)
    for one in described.values():
        (problem,) = one["content"].values()
        one["content"] = {"application/json": problem, **one["content"]}
    return described


def _model_call(operation_id: str, summary: str, schema: Document) -> Document:
    responses = {**ok_response("It is", content(schema, {}), headers=True), **_refused(*ABOUT_MODEL)}
    return _named(operation_id, summary, responses)


def _infer(operation_id: str) -> Document:
    responses = {**ok_response("The outputs", content(_INFERENCE, {}), headers=True), **_refused(*WITH_BODY)}
    body = {"required": True, "content": {**content(_REQUEST, {"One row": _FLOWER}), **_TENSORS}}
    return {**_named(operation_id, "Infer", responses), "requestBody": body}


def _named(operation_id: str, summary: str, responses: Document) -> Document:
    return {
        "tags": ["Open Inference Protocol"],
        "summary": summary,
        "operationId": operation_id,
        "responses": responses,
    }
