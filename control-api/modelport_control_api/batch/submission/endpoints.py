"""The call that makes a job, on the public and the internal port, and what FastAPI does not see of
calls on jobs.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from modelport_http.rate_limiting import enforce

from modelport_control_api.batch.options import OUTPUT_FORMATS, RETURNED
from modelport_control_api.batch.preparation import INPUT_FORMATS
from modelport_control_api.batch.render import job_response
from modelport_control_api.batch.results.writers import MEDIA_TYPES
from modelport_control_api.batch.schemas import NewJobAnswer
from modelport_control_api.batch.submission.submission import JobSubmission, get_submission
from modelport_control_api.db.base import utc_now
from modelport_control_api.http.context import get_context
from modelport_control_api.http.principal import require
from modelport_control_api.http.responses import CREDENTIAL, Responses, never_stored, problems
from modelport_control_api.identity import Principal
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry.tables import BatchJob

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
    "return": {
        "type": "string",
        "description": f"What to give, `a,b`, of {', '.join(RETURNED)}; the prediction always.",
    },
    "webhook_url": {"type": "string", "description": "Notified of the job's end; http or https, public."},
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


Submitter = Annotated[Principal, Depends(require("predict"))]


async def limit_jobs(request: Request, principal: Submitter) -> None:
    """Raises a 429 problem, before a byte of the body is read."""
    context = get_context(request)
    await enforce(context.store, "batch", context.settings.limit_batch, principal.user_id)


router = APIRouter(
    prefix="/api/v1/predict/{model_id}",
    tags=["batch"],
    dependencies=[Depends(limit_jobs), Depends(never_stored)],
    responses=SUBMITTED,
)
Submitting = Annotated[JobSubmission, Depends(get_submission)]


@router.post("/batch", status_code=202, openapi_extra=SUBMISSION)
async def submit_job(
    model_id: str, submission: Submitting, principal: Submitter, response: Response
) -> NewJobAnswer:
    """Predict a whole file. The version that gets most requests now does it, whatever the traffic later."""
    return await _submit(submission, principal, response, model_id, None)


@router.post("/versions/{version}/batch", status_code=202, openapi_extra=SUBMISSION)
async def submit_job_to_version(
    model_id: str, version: str, submission: Submitting, principal: Submitter, response: Response
) -> NewJobAnswer:
    """Predict a whole file with one version."""
    return await _submit(submission, principal, response, model_id, version)


async def _submit(
    submission: JobSubmission, principal: Principal, response: Response, model_id: str, version: str | None
) -> NewJobAnswer:
    job = await submission.submit(principal, model_id, version)
    return await new_job_response(submission.models, job, response)


async def new_job_response(models: ModelsServices, job: BatchJob, response: Response) -> NewJobAnswer:
    """The response to the user who made it."""
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    # A job that the same request made before may have ended by now.
    shown = await models.transactions.read(lambda session: job_response(session, job, utc_now()))
    return NewJobAnswer(**shown.model_dump(), webhook_secret=job.webhook_secret)
