"""The streamed multipart bodies in /openapi.json: FastAPI does not see them; /docs needs the file field."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from modelport_crds.names import VERSION_NAME
from modelport_environments.catalogue import ENVIRONMENTS, PLATFORM
from modelport_environments.requirements import MAX_BYTES

from modelport_control_api.models.ensembles.request import MAX_TEXT_BYTES
from modelport_control_api.sniff.detect import FRAMEWORKS

_FILE = {
    "type": "string",
    "format": "binary",
    "description": "joblib, pickle, skops, ONNX, XGBoost, LightGBM, CatBoost, river, statsmodels, PyTorch, "
    "JAX or Keras; a zip, tar or tar.gz of a SavedModel or of a folder of MLflow, MLServer, AutoGluon or "
    "Hugging Face; code of your own: a .py with class Model, or a zip with model.py.",
}
_CODE = {
    "type": "string",
    "format": "binary",
    "description": "Python code of your own beside the file: a .py, or a zip of modules. It defines class "
    "Model, preprocess or postprocess, or what a pickle names of your modules.",
}
_MODEL_TYPE = {
    "type": "string",
    "enum": list(FRAMEWORKS),
    "description": "Detected when left out, else checked.",
}
_ENVIRONMENT = {
    "type": "string",
    "enum": [PLATFORM, *ENVIRONMENTS],
    "description": "What the model runs in. Left out: what the file was saved with, where nothing else "
    "serves it, or else the platform's own libraries.",
}
_REQUIREMENTS = {
    "type": "string",
    "maxLength": MAX_BYTES,
    "description": "The text of a requirements.txt, as a field or a file: what the model is to run with. "
    "Names, versions, extras and markers alone. `folder`: those of the model folder that is uploaded.",
}
_SAMPLE = {
    "type": "string",
    "description": 'JSON: one row, bare or as {"input": row}. The version must predict it to get requests.',
}
_REFERENCE = {
    "type": "string",
    "format": "binary",
    "description": "CSV with a header: the rows it was trained on, to compare live inputs with (data drift).",
}

_ENSEMBLE = {
    "type": "string",
    "maxLength": MAX_TEXT_BYTES,
    "contentMediaType": "application/json",
    "description": "In place of `file`: versions of your models that are joined to be one, as JSON: "
    '{"join": "vote", "members": [{"model": "iris-4k2xq", "version": "v2"}, …]}. `join` is vote, average, '
    "chain or stack (with `final`).",
}


def _body(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


MODEL_UPLOAD_BODY = _body(
    {
        "file": _FILE,
        "ensemble": _ENSEMBLE,
        "code": _CODE,
        "name": {"type": "string", "minLength": 1, "maxLength": 100},
        "model_type": _MODEL_TYPE,
        "environment": _ENVIRONMENT,
        "requirements": _REQUIREMENTS,
        "description": {"type": "string", "maxLength": 10_000},
        "sample": _SAMPLE,
        "reference": _REFERENCE,
        "acceleration": {
            "type": "string",
            "enum": ["auto", "off"],
            "default": "auto",
            "description": "auto: NumPy kernels predict where they were proven to equal it; off: never.",
        },
    },
    ["name"],
)
VERSION_UPLOAD_BODY = _body(
    {
        "file": _FILE,
        "ensemble": _ENSEMBLE,
        "code": _CODE,
        "model_type": _MODEL_TYPE,
        "environment": _ENVIRONMENT,
        "requirements": _REQUIREMENTS,
        "sample": _SAMPLE,
        "reference": _REFERENCE,
        "traffic": {
            "type": "string",
            "pattern": "^(100|[1-9]?[0-9])$",
            "description": "Its share of the requests in percent, once it is ready; 0: the traffic stays. "
            "Left out: 100, and with `replaces` the share that the failed version was to get.",
        },
        "force": {
            "type": "string",
            "enum": ["true", "false"],
            "default": "false",
            "description": "true: also if it lacks what callers of the version that serves depend on.",
        },
        "rollout": {
            "type": "string",
            "enum": ["guarded"],
            "description": "guarded: it gets no traffic but what a rollout gives it, which begins at once.",
        },
        "replaces": {
            "type": "string",
            "pattern": f"^{VERSION_NAME}$",
            "description": "A version that has failed, which is removed for this one.",
        },
    },
    [],
)
CHOSEN_BY_FILE = "x-chosen-by-file"
_UPLOADS = ("/api/v1/models/upload", "/api/v1/models/{model_id}/versions")


def with_limits(document: Mapping[str, Any], *, max_bytes: int, chooses: bool) -> dict[str, Any]:
    """Return the document with the largest file that is taken, and whether it decides its environment.

    `modelport doctor` reads both.
    """
    paths = dict(document["paths"])
    for path in _UPLOADS:
        paths[path] = deepcopy(paths[path])
        body = paths[path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        body["properties"]["file"]["maxLength"] = max_bytes
        body["properties"]["environment"][CHOSEN_BY_FILE] = chooses
    return {**document, "paths": paths}
