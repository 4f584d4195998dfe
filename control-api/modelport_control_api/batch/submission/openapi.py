"""What FastAPI does not see of the calls on jobs: streamed bodies, and answers that are files."""

from typing import Any

from modelport_control_api.batch.options import OUTPUT_FORMATS
from modelport_control_api.batch.preparation import INPUT_FORMATS
from modelport_control_api.batch.results.stream import MEDIA_TYPES
from modelport_control_api.http.responses import CREDENTIAL, Responses, problems

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_OPTIONS: dict[str, dict[str, Any]] = {
    "output": {
        "type": "string",
        "enum": list(OUTPUT_FORMATS),
        "description": "Format of the results; the input's unless given.",
    },
    "key_columns": {
        "type": "string",
        "description": "Columns beside the results, `a,b`; all that the model does not take unless given.",
    },
    "probabilities": {"type": "boolean", "description": "Also give each class's probability."},
    "webhook_url": {"type": "string", "description": "Told of the job's end; http or https, public."},
    "format": {
        "type": "string",
        "enum": list(INPUT_FORMATS),
        "description": "Of the input, where its type or name does not tell.",
    },
}
_URI = {
    "type": "string",
    "description": "Where the input is fetched from: https://…, or s3://… below what the platform allows.",
}
_FORM = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}, "input_uri": _URI, **_OPTIONS},
    "oneOf": [{"required": ["file"]}, {"required": ["input_uri"]}],
}
_ROWS = {
    "type": "object",
    "properties": {"inputs": {"type": "array", "items": {}}},
    "required": ["inputs"],
}
_ELSEWHERE = {
    "type": "object",
    "properties": {"input_uri": _URI, "format": _OPTIONS["format"]},
    "required": ["input_uri"],
    "additionalProperties": False,
}
SUBMISSION: dict[str, Any] = {
    "parameters": [
        *({"name": name, "in": "query", "schema": schema} for name, schema in _OPTIONS.items()),
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "maxLength": 255},
            "description": "The same request under the same key makes one job, however often it is sent.",
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FORM},
            "text/csv": _BYTES,
            "application/x-ndjson": _BYTES,
            "application/vnd.apache.parquet": _BYTES,
            "application/json": {"schema": {"oneOf": [_ROWS, _ELSEWHERE]}},
        },
    },
}
SUBMITTED: Responses = problems(*CREDENTIAL, 400, 404, 409, 413, 415, 422, 429, 503, 507)
RESULTS: Responses = {
    200: {
        "description": "The file.",
        "content": {kind.partition(";")[0]: _BYTES for kind in MEDIA_TYPES.values()},
    },
    **problems(404, 409, 410, 422),
}
