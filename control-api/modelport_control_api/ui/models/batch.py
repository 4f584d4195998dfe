"""Batch jobs: submitting a file, following its progress, and its results."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Response
from sqlalchemy.orm import Session

from modelport_control_api.batch import endpoints as calls
from modelport_control_api.batch import service
from modelport_control_api.batch.render import job_response, job_responses
from modelport_control_api.batch.repository import UNFINISHED
from modelport_control_api.batch.schemas import JobAnswer, State
from modelport_control_api.batch.submission.endpoints import limit_jobs
from modelport_control_api.batch.submission.retrying import Retrying, Rows
from modelport_control_api.batch.wiring import Batch
from modelport_control_api.db.base import utc_now
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.rendering import redirect

router = APIRouter(prefix="/ui/batch", include_in_schema=False)
_JOBS_ON_A_PAGE = 25
STATES = get_args(State)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The fields of the address. `of`: a model's id; empty ones choose nothing."""

    of: str = ""
    state: str = ""

    @property
    def address(self) -> str:
        """What stands behind the `?`; empty where nothing is asked."""
        return urlencode({name: text for name, text in asdict(self).items() if text})


async def get_wanted(of: str = "", state: str = "") -> Wanted:
    """Collect the parameters; a state that is none is as left out."""
    return Wanted(of, state if state in STATES else "")


WantedJobs = Annotated[Wanted, Depends(get_wanted)]


@router.get("")
async def show_jobs(
    visit: CurrentVisit, services: Batch, wanted: WantedJobs, model: str = "", cursor: str | None = None
) -> Response:
    """`model`: the one that the form has chosen."""
    seen = await _seen(visit, wanted, cursor)
    return visit.page("models/batch.html", chosen=model, max_bytes=services.max_bytes, **seen)


@router.get("/live")
async def show_live_part(visit: CurrentVisit, wanted: WantedJobs, cursor: str | None = None) -> Response:
    return visit.page("models/batch_live.html", **await _seen(visit, wanted, cursor))


@router.get("/{job_id}")
async def show_job(visit: CurrentVisit, job_id: str) -> Response:
    return visit.page("models/job.html", **await _job(visit, job_id))


@router.get("/{job_id}/live")
async def show_live_job(visit: CurrentVisit, job_id: str) -> Response:
    return visit.page("models/job_live.html", **await _job(visit, job_id))


@router.get("/{job_id}/results")
async def download(
    visit: CurrentVisit,
    services: Batch,
    job_id: str,
    format: calls.OutputFormat = None,
    partial: calls.Partial = False,
) -> Response:
    return await calls.read_results(
        job_id=job_id,
        principal=visit.principal,
        models=visit.services,
        services=services,
        output_format=format,
        partial=partial,
    )


@router.post("/{job_id}/delete")
async def cancel_or_remove(visit: CurrentVisit, services: Batch, job_id: str) -> Response:
    was = (await _job(visit, job_id))["job"]
    await calls.delete_job(job_id, visit.principal, visit.services, services)
    if was.state in UNFINISHED:
        return redirect(visit.request, f"/ui/batch/{job_id}", "The job is cancelled.")
    return redirect(visit.request, "/ui/batch", "The job and its files are removed.")


@router.post("/{job_id}/retry")
async def retry(
    visit: CurrentVisit,
    services: Batch,
    job_id: str,
    rows: Annotated[Rows, Form()] = "all",
) -> Response:
    await limit_jobs(visit.request, visit.principal)
    job = await Retrying(visit.request, visit.services, services).retry(visit.principal, job_id, rows)
    return redirect(visit.request, f"/ui/batch/{job.id}", "The rows are tried again by this job.")


async def _job(visit: Visit, job_id: str) -> dict[str, Any]:
    def read(session: Session) -> JobAnswer:
        return job_response(session, service.get(session, visit.principal, job_id), utc_now())

    job = await visit.services.transactions.read(read)
    going = job.state in UNFINISHED
    can_retry = not going and not _is_over(job.expires_at)
    left = job.rows_total is not None and (job.rows_failed > 0 or job.rows_done < job.rows_total)
    return {"job": job, "going": going, "retries": can_retry, "retries_failed": can_retry and left}


def _is_over(moment: datetime | None) -> bool:
    return moment is not None and moment <= utc_now()


async def _seen(visit: Visit, wanted: Wanted, cursor: str | None) -> dict[str, Any]:
    models = await own_models(visit)

    def read(session: Session) -> tuple[list[JobAnswer], str | None]:
        page = service.list_page(
            session,
            visit.principal,
            _JOBS_ON_A_PAGE,
            cursor,
            model_id=wanted.of or None,
            state=wanted.state or None,
        )
        return job_responses(session, page.items, utc_now()), page.next_cursor

    jobs, older = await visit.services.transactions.read(read)
    return {
        "jobs": jobs,
        "older": older,
        "cursor": cursor,
        "wanted": wanted,
        "states": STATES,
        "going": any(job.state in UNFINISHED for job in jobs),
        "models": models,
        "names": {model.id: model.name for model in models},
    }


async def own_models(visit: Visit) -> list[ModelAnswer]:
    """Return the visitor's newest models, as `Visit.newest` has them, rendered."""
    records, _ = await visit.newest()
    return [visit.renderer.model(record) for record in records]
