"""The calls on jobs of docs/api.md."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.orm import Session
from starlette.responses import StreamingResponse

from modelport_control_api.batch import service
from modelport_control_api.batch.render import job_response, job_responses
from modelport_control_api.batch.repository import UNFINISHED, finished_chunks
from modelport_control_api.batch.results.writers import MEDIA_TYPES, stream_results
from modelport_control_api.batch.schemas import JobAnswer, JobPage, NewJobAnswer, State
from modelport_control_api.batch.submission.endpoints import RESULTS, limit_jobs, new_job_response
from modelport_control_api.batch.submission.retrying import Retrying, Rows, get_retrying
from modelport_control_api.batch.wiring import Batch
from modelport_control_api.db.base import utc_now
from modelport_control_api.http.context import PageCursor, PageLimit
from modelport_control_api.http.principal import require
from modelport_control_api.http.responses import CREDENTIAL, never_stored, problems
from modelport_control_api.identity import Principal
from modelport_control_api.models.access import Models
from modelport_control_api.models.endpoints import WaitSeconds
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry.tables import BatchJob

router = APIRouter(prefix="/api/v1/jobs", tags=["batch"], responses=problems(*CREDENTIAL))

JobUser = Annotated[Principal, Depends(require("predict"))]
OutputFormat = Annotated[
    Literal["jsonl", "csv", "parquet"] | None, Query(alias="format", description="The job's own if left out.")
]
Partial = Annotated[bool, Query(description="Also what a cancelled or failed job did until its end.")]
_LOOK_SECONDS = 0.5


@router.get("", responses=problems(422))
async def list_jobs(
    *,
    principal: JobUser,
    models: Models,
    model_id: Annotated[str | None, Query(max_length=127)] = None,
    state: State | None = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> JobPage:
    """Your batch jobs, newest first."""

    def read(session: Session) -> JobPage:
        page = service.list_page(session, principal, limit, cursor, model_id=model_id, state=state)
        return JobPage(items=job_responses(session, page.items, utc_now()), next_cursor=page.next_cursor)

    return await models.transactions.read(read)


@router.get("/{job_id}", responses=problems(404, 422))
async def read_job(
    job_id: str, principal: JobUser, models: Models, wait_seconds: WaitSeconds = 0
) -> JobAnswer:
    """One job; with `wait`, once it has ended, or when the time is over."""
    job = await _load(models, principal, job_id)
    deadline = asyncio.get_running_loop().time() + wait_seconds
    while job.state in UNFINISHED and (left := deadline - asyncio.get_running_loop().time()) > 0:
        # Any process may end it, so only the database knows.
        await asyncio.sleep(min(_LOOK_SECONDS, left))
        job = await _load(models, principal, job_id)
    return job


@router.delete("/{job_id}", status_code=204, response_class=Response, responses=problems(404))
async def delete_job(job_id: str, principal: JobUser, models: Models, services: Batch) -> None:
    """Cancel a job that has not ended; remove one that has, with its files."""
    now = utc_now()

    def change(session: Session) -> str | None:
        job = service.get(session, principal, job_id)
        removed = service.cancel_or_remove(session, principal, job_id, now, services.keep)
        return job.id if removed else None

    removed = await models.transactions.write(change)
    if removed is not None:
        await services.files.remove(removed)


@router.post(
    "/{job_id}/retry",
    status_code=202,
    dependencies=[Depends(limit_jobs), Depends(never_stored)],
    responses=problems(404, 409, 410, 422, 429, 503, 507),
)
async def retry_job(
    job_id: str,
    principal: JobUser,
    retrying: Annotated[Retrying, Depends(get_retrying)],
    response: Response,
    rows: Annotated[
        Rows, Query(description="failed: those without a prediction, with their numbers.")
    ] = "all",
) -> NewJobAnswer:
    """A new job that tries the rows of one that has ended again, with the same version and options."""
    return await new_job_response(retrying.models, await retrying.retry(principal, job_id, rows), response)


@router.get("/{job_id}/results", response_class=StreamingResponse, responses=RESULTS)
async def read_results(
    *,
    job_id: str,
    principal: JobUser,
    models: Models,
    services: Batch,
    output_format: OutputFormat = None,
    partial: Partial = False,
) -> StreamingResponse:
    """The results, in the order of the input's rows, in any of the three formats."""

    def find(session: Session) -> tuple[BatchJob, list[int]]:
        job = service.get(session, principal, job_id)
        service.require_results(job, utc_now(), partial=partial)
        return job, finished_chunks(session, job.id)

    job, chunks = await models.transactions.read(find)
    chosen = output_format or job.output_format
    name = f"{job.model_id}-{job.version}-{job.id[:8]}.{chosen}"
    return StreamingResponse(
        stream_results(services.files, job.id, chunks, chosen),
        media_type=MEDIA_TYPES[chosen],
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


async def _load(models: ModelsServices, principal: Principal, job_id: str) -> JobAnswer:
    return await models.transactions.read(
        lambda session: job_response(session, service.get(session, principal, job_id), utc_now())
    )
