"""The whole document, for the whole platform."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from modelport_control_api.http.openapi import inference_protocol, predictions
from modelport_control_api.http.openapi.predictions import Document
from modelport_control_api.http.responses import Problem

DESCRIPTION = """
1. `POST /api/v1/auth/register` makes an account; **Authorize** logs in to it.
2. `POST /api/v1/models/upload` takes a model file and gives an id.
3. `POST /predict/{model_id}` predicts, with the access token or with an API key.

[Help](/help/) has a tutorial, guides, and what each `reason` means.

Errors are `application/problem+json` (RFC 9457); quote their `request_id` when you report one.
"""
# In the order in which somebody new needs them.
TAGS = [
    {"name": "accounts", "description": "Registering, logging in, and the account."},
    {"name": "API keys", "description": "Credentials for programs: scoped, expiring, rotatable."},
    {"name": "models", "description": "From a model file to an endpoint."},
    {"name": "versions", "description": "New versions, and who gets the requests."},
    {"name": "quality", "description": "Predictions, compared with what turned out to be true."},
    {"name": "experiments", "description": "Which version does better, by feedback: A/B tests."},
    {"name": "rollouts", "description": "New versions that prove themselves before they get requests."},
    {"name": "predictions", "description": "What it is all for."},
    {"name": "batch", "description": "Predictions over files, done in the background."},
    {"name": "history", "description": "Requests and responses, where a model's owner has them kept."},
    {"name": "drift", "description": "Live inputs beside the rows that a version was trained on."},
    {"name": "alerts", "description": "What happened to your models and jobs."},
    {"name": "Open Inference Protocol", "description": "The same models, for clients of KServe and Triton."},
    {"name": "analytics", "description": "How often models were called, by whom, and with what results."},
    {"name": "platform", "description": "For those who run it."},
]


class DocumentedApp(FastAPI):
    """A FastAPI whose /openapi.json also has the gateway's calls, and what this platform's settings decide.

    `with_settings`: returns a document with the latter.
    """

    def __init__(self, *, with_settings: Callable[[Document], Document], **options: Any) -> None:
        super().__init__(**options)
        self._with_settings = with_settings

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = self._with_settings(_completed(super().openapi()))
        return self.openapi_schema


def _completed(document: Document) -> Document:
    paths = {**document["paths"], **predictions.paths(), **inference_protocol.paths()}
    components = {**document["components"]}
    components["schemas"] = {**components["schemas"], **_problem_schemas()}
    return {**document, "paths": paths, "components": components}


def _problem_schemas() -> Document:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    # Redoc finds references within components only.
    return {**schema.pop("$defs"), "Problem": schema}
