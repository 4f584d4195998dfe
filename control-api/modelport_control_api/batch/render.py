"""A job's response: its row, what follows from it at a moment, and how its messages fare."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.alerts.tables import DeliveryRow
from modelport_control_api.batch.schemas import JobAnswer, State, WebhookAnswer
from modelport_control_api.batch.sources.uri import shown
from modelport_control_api.registry.tables import BatchJob


def render_job(job: BatchJob, now: datetime, delivery: DeliveryRow | None = None) -> JobAnswer:
    """`delivery`: of the job's message, once it has ended."""
    rate = _rows_per_second(job, now)
    return JobAnswer(
        id=job.id,
        model_id=job.model_id,
        version=job.version,
        state=cast(State, job.state),
        reason=job.reason,
        message=job.message,
        waiting_for=_waiting_for(job),
        input_name=job.input_name,
        retry_of=job.retry_of,
        retry_rows=cast(Literal["all", "failed"] | None, job.retry_rows or None),
        input_format=job.input_format,
        output_format=job.output_format,
        key_columns=job.key_columns,
        probabilities=job.probabilities,
        contributions=job.contributions,
        input_uri=shown(job.input_uri) if job.input_uri else None,
        input_bytes=job.input_bytes,
        rows_total=job.rows_total,
        rows_done=job.rows_done,
        rows_failed=job.rows_failed,
        progress=_progress(job),
        rows_per_second=rate,
        estimated_seconds_left=_seconds_left(job, rate),
        results_url=_results_url(job, now),
        webhook=_webhook(job, delivery),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        expires_at=job.expires_at,
    )


def is_expired(job: BatchJob, now: datetime) -> bool:
    """Its files are gone, or go at any moment."""
    return job.files_removed_at is not None or (job.expires_at is not None and job.expires_at <= now)


def _waiting_for(job: BatchJob) -> str | None:
    if job.state == "queued":
        return "It waits for the batch worker to read its input."
    return job.waiting_for or None if job.state == "running" else None


def _progress(job: BatchJob) -> float:
    if job.state == "succeeded":
        return 1.0
    return job.rows_done / job.rows_total if job.rows_total else 0.0


def _rows_per_second(job: BatchJob, now: datetime) -> float | None:
    if job.started_at is None or not job.rows_done:
        return None
    seconds = ((job.finished_at or now) - job.started_at).total_seconds()
    return round(job.rows_done / seconds, 1) if seconds > 0 else None


def _seconds_left(job: BatchJob, rate: float | None) -> float | None:
    if job.state != "running" or not rate or job.rows_total is None:
        return None
    return round((job.rows_total - job.rows_done) / rate, 1)


def _webhook(job: BatchJob, delivery: DeliveryRow | None) -> WebhookAnswer | None:
    if job.webhook_url is None:
        return None
    if delivery is None:
        return WebhookAnswer(url=job.webhook_url, state="waiting", attempts=0, last_error=None)
    return WebhookAnswer(
        url=job.webhook_url,
        state=delivery.state,
        attempts=delivery.attempts,
        last_error=delivery.last_error,
    )


def _results_url(job: BatchJob, now: datetime) -> str | None:
    is_there = job.state == "succeeded" and not is_expired(job, now)
    return f"/api/v1/jobs/{job.id}/results" if is_there else None


def job_response(session: Session, job: BatchJob, now: datetime) -> JobAnswer:
    """Render the job as of `now`. `session`: for the delivery of its webhook."""
    return job_responses(session, [job], now)[0]


def job_responses(session: Session, jobs: Sequence[BatchJob], now: datetime) -> list[JobAnswer]:
    """In the order of `jobs`."""
    deliveries = _deliveries(session, [job.id for job in jobs if job.webhook_url is not None])
    return [render_job(job, now, deliveries.get(job.id)) for job in jobs]


def _deliveries(session: Session, ids: Sequence[str]) -> dict[str, DeliveryRow]:
    if not ids:
        return {}
    found = session.scalars(select(DeliveryRow).where(DeliveryRow.job_id.in_(ids)))
    return {delivery.job_id: delivery for delivery in found if delivery.job_id}
