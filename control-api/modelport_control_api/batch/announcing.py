"""The end of a job, told to who submitted it: as an event, and at an address that came with the job."""

from collections.abc import Collection
from datetime import datetime

from modelport_http.wording import counted
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.alerts import events, messages
from modelport_control_api.alerts.events import Fact, Subject
from modelport_control_api.alerts.sending import Target
from modelport_control_api.alerts.tables import DeliveryRow
from modelport_control_api.alerts.types import EventType
from modelport_control_api.batch.render import render_job
from modelport_control_api.registry import repository
from modelport_control_api.registry.tables import BatchJob

_TYPES: dict[str, EventType] = {
    "succeeded": "job.succeeded",
    "failed": "job.failed",
    "cancelled": "job.cancelled",
}


def announce(session: Session, job: BatchJob, now: datetime) -> None:
    """In the transaction of the job's end. Nobody hears of the platform's own jobs."""
    if job.purpose:
        return
    model = repository.find(session, job.model_id)
    subject = Subject(job.owner_id, job.model_id, model.name if model else job.model_id)
    more = render_job(job, now).model_dump(mode="json")
    fact = Fact(_TYPES[job.state], job.id, _summary(job), version=job.version, more=more)
    events.record(session, subject, fact)
    if job.webhook_url is not None:
        text = messages.body(fact.type, now, events.data_of(subject, fact))
        session.add(DeliveryRow(job_id=job.id, type=fact.type, body=text, next_try_at=now))


def targets(session: Session, job_ids: Collection[str]) -> dict[str, Target]:
    """Return where the messages about the jobs' ends go."""
    columns = (BatchJob.id, BatchJob.webhook_url, BatchJob.webhook_secret)
    found = session.execute(select(*columns).where(BatchJob.id.in_(job_ids)))
    return {id_: Target(url, [secret]) for id_, url, secret in found if url and secret}


def _summary(job: BatchJob) -> str:
    if job.state != "succeeded":
        return f"The job {job.state}: {job.message}" if job.state == "failed" else job.message
    rows = f"{counted(job.rows_done, 'row')} done"
    return f"{rows}, {job.rows_failed:,} of them without a prediction." if job.rows_failed else f"{rows}."
