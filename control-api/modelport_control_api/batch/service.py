"""What users do with their jobs. A job of someone else does not exist here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from modelport_http.wording import counted
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from modelport_control_api.alerts import signing
from modelport_control_api.batch import repository
from modelport_control_api.batch.errors import (
    JobNotFound,
    KeyReused,
    NotFinished,
    ResultsExpired,
    TooManyJobs,
)
from modelport_control_api.batch.options import Options
from modelport_control_api.batch.render import is_expired
from modelport_control_api.batch.target import Target
from modelport_control_api.db.paging import Page, read_page
from modelport_control_api.identity import Principal
from modelport_control_api.registry.tables import BatchJob


@dataclass(frozen=True, slots=True)
class NewJob:
    """All of a job that is about to be. Its input lies in the object store under `id`, or at `input_uri`."""

    id: str
    target: Target
    options: Options
    input_bytes: int | None
    input_uri: str | None = None
    idempotency_key: str | None = None
    request_sha256: str = ""
    input_name: str = ""
    retry_of: str | None = None
    retry_rows: str = ""


def find_repeated(session: Session, principal: Principal, new: NewJob) -> BatchJob | None:
    """Return the job that the same request made before. Raises `KeyReused` for another request."""
    key = new.idempotency_key
    if key is None:
        return None
    same_key = select(BatchJob).where(BatchJob.owner_id == principal.user_id, BatchJob.idempotency_key == key)
    job = session.scalars(same_key).one_or_none()
    if job is not None and job.request_sha256 != new.request_sha256:
        raise KeyReused(
            f"The key was used for another request (job {job.id}): use a new key, or send what was sent then."
        )
    return job


def create(session: Session, principal: Principal, new: NewJob) -> BatchJob:
    """Raises `IntegrityError` when another request of the same key has just made its job."""
    options = new.options
    job = BatchJob(
        id=new.id,
        owner_id=principal.user_id,
        model_id=new.target.model_id,
        version=new.target.version,
        state="queued",
        signature=new.target.signature,
        input_format=options.input_format,
        output_format=options.output_format,
        input_bytes=new.input_bytes,
        input_uri=new.input_uri,
        input_name=new.input_name,
        retry_of=new.retry_of,
        retry_rows=new.retry_rows,
        key_columns=options.key_columns,
        probabilities=options.probabilities,
        contributions=options.contributions,
        idempotency_key=new.idempotency_key,
        request_sha256=new.request_sha256,
        webhook_url=options.webhook_url,
        webhook_secret=signing.new_secret() if options.webhook_url else None,
    )
    session.add(job)
    session.flush()
    return job


def require_room(session: Session, principal: Principal, most: int) -> None:
    """Raises `TooManyJobs`."""
    unfinished = select(func.count()).where(
        BatchJob.owner_id == principal.user_id,
        BatchJob.state.in_(repository.UNFINISHED),
        BatchJob.purpose == "",
    )
    if (session.scalar(unfinished) or 0) >= most:
        raise TooManyJobs(
            f"You have {counted(most, 'unfinished job')}, the most allowed: wait for one, or cancel one."
        )


def list_page(
    session: Session,
    principal: Principal,
    limit: int,
    cursor: str | None,
    *,
    model_id: str | None = None,
    state: str | None = None,
) -> Page[BatchJob]:
    """The caller's own jobs that its credential may see, newest first. Raises `CursorInvalid`."""
    query = select(BatchJob).where(BatchJob.owner_id == principal.user_id, BatchJob.purpose == "")
    if principal.model_ids is not None:
        query = query.where(BatchJob.model_id.in_(principal.model_ids))
    if model_id is not None:
        query = query.where(BatchJob.model_id == model_id.replace("\0", ""))
    if state is not None:
        query = query.where(BatchJob.state == state)
    return read_page(session, query, BatchJob, limit, cursor)


def get(session: Session, principal: Principal, job_id: str, *, lock: bool = False) -> BatchJob:
    """Raises `JobNotFound`."""
    canonical = _canonical(job_id)
    job = repository.lock(session, canonical) if lock else repository.find(session, canonical)
    if job is None or job.purpose or job.owner_id != principal.user_id or not principal.may_use(job.model_id):
        raise JobNotFound("No such job: list yours with GET /api/v1/jobs.")
    return job


def cancel_or_remove(
    session: Session, principal: Principal, job_id: str, now: datetime, keep: timedelta
) -> bool:
    """Cancel an unfinished job; take a finished one away. True: its files are to go. Raises `JobNotFound`."""
    job = get(session, principal, job_id, lock=True)
    if job.state in repository.UNFINISHED:
        _cancel(session, job, "Cancelled by its owner.", now, keep)
        return False
    session.delete(job)
    return True


def cancel_all_of(session: Session, user_id: str, now: datetime, keep: timedelta) -> None:
    """Cancel every unfinished job of a user whose account is disabled."""
    mine = select(BatchJob).where(BatchJob.owner_id == user_id, BatchJob.state.in_(repository.UNFINISHED))
    for job in session.scalars(mine.order_by(BatchJob.id).with_for_update()).all():
        _cancel(session, job, "Cancelled, since its owner's account was disabled.", now, keep)


def require_results(job: BatchJob, now: datetime, *, partial: bool) -> None:
    """Raises `ResultsExpired` or `NotFinished`."""
    if is_expired(job, now):
        raise ResultsExpired("The job's results were kept until they expired: submit the job again.")
    if job.state == "succeeded" or (partial and job.state in ("cancelled", "failed")):
        return
    ways = {
        "cancelled": "It was cancelled: ?partial=true gives what was done until then.",
        "failed": f"It failed: {job.message} ?partial=true gives what was done until then.",
    }
    waiting = f"It is {job.state}: GET /api/v1/jobs/{job.id}?wait=30 waits for its end."
    raise NotFinished(f"The job has no results to give. {ways.get(job.state, waiting)}")


def _cancel(session: Session, job: BatchJob, message: str, now: datetime, keep: timedelta) -> None:
    """The job's row must be locked."""
    job.cancel_requested, job.message = True, message
    repository.end(session, job, "cancelled", now, keep)


def _canonical(job_id: str) -> str:
    """What cannot be an id is found nowhere; it never reaches the database."""
    try:
        return str(UUID(job_id))
    except ValueError as error:
        raise JobNotFound("No such job: list yours with GET /api/v1/jobs.") from error
