"""The call that makes a job. On the internal port too: gateways pass it on, with the caller's credential."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from modelport_http.rate_limiting import enforce

from modelport_control_api.batch.answers import answer
from modelport_control_api.batch.schemas import NewJobAnswer
from modelport_control_api.batch.submission.intake import Intake, get_intake
from modelport_control_api.batch.submission.openapi import SUBMISSION, SUBMITTED
from modelport_control_api.db.base import utc_now
from modelport_control_api.http.context import get_context
from modelport_control_api.http.principal import require
from modelport_control_api.http.responses import never_stored
from modelport_control_api.identity.principal import Principal
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry.job_tables import BatchJob

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
Submitting = Annotated[Intake, Depends(get_intake)]


@router.post("/batch", status_code=202, openapi_extra=SUBMISSION)
async def submit_job(
    model_id: str, intake: Submitting, principal: Submitter, response: Response
) -> NewJobAnswer:
    """Predict a whole file. The version that gets most requests now does it, whatever the traffic later."""
    return await _submit(intake, principal, response, model_id, None)


@router.post("/versions/{version}/batch", status_code=202, openapi_extra=SUBMISSION)
async def submit_job_to_version(
    model_id: str, version: str, intake: Submitting, principal: Submitter, response: Response
) -> NewJobAnswer:
    """Predict a whole file with one version."""
    return await _submit(intake, principal, response, model_id, version)


async def _submit(
    intake: Intake, principal: Principal, response: Response, model_id: str, version: str | None
) -> NewJobAnswer:
    job = await intake.submit(principal, model_id, version)
    return await answer_new(intake.models, job, response)


async def answer_new(models: ModelsServices, job: BatchJob, response: Response) -> NewJobAnswer:
    """The answer to whoever made it."""
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    # A job that the same request made before may have ended by now.
    shown = await models.transactions.read(lambda session: answer(session, job, utc_now()))
    return NewJobAnswer(**shown.model_dump(), webhook_secret=job.webhook_secret)
