"""What is answered of jobs: what their rows say, and how their messages fare."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.batch.render import render_job
from modelport_control_api.batch.schemas import JobAnswer
from modelport_control_api.registry.job_tables import BatchJob, WebhookDelivery


def answer(session: Session, job: BatchJob, now: datetime) -> JobAnswer:
    return answers(session, [job], now)[0]


def answers(session: Session, jobs: Sequence[BatchJob], now: datetime) -> list[JobAnswer]:
    """In the order of `jobs`."""
    deliveries = _deliveries(session, [job.id for job in jobs if job.webhook_url is not None])
    return [render_job(job, now, deliveries.get(job.id)) for job in jobs]


def _deliveries(session: Session, ids: Sequence[str]) -> dict[str, WebhookDelivery]:
    if not ids:
        return {}
    found = session.scalars(select(WebhookDelivery).where(WebhookDelivery.job_id.in_(ids)))
    return {delivery.job_id: delivery for delivery in found}
