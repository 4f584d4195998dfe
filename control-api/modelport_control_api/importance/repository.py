"""Rows of importance, and the jobs that compute it, in and out of one transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from modelport_control_api.batch.pods.demand import publish_again
from modelport_control_api.drift import repository as drift
from modelport_control_api.importance.tables import ImportanceRow, Source
from modelport_control_api.registry import repository as models
from modelport_control_api.registry.tables import BatchJob, ModelRow

PURPOSE = "importance"
UNFINISHED = ("waiting", "computing")


def begin(
    session: Session, model_id: str, number: int, *, source: Source, job_id: str, input_format: str, rows: int
) -> str | None:
    """Put it in place of what was there; return the job whose files are to go. Raises nothing if the version
    or its reference has gone meanwhile: then it is the new job."""
    reference = drift.find_reference(session, model_id, number)
    model = models.find(session, model_id)
    is_there = model is not None and any(each.number == number for each in model.versions)
    if not is_there or (source == "reference" and reference is None):
        return job_id
    former = session.get(ImportanceRow, (model_id, number))
    if former is not None:
        remove(session, former)
    session.add(
        ImportanceRow(
            model_id=model_id,
            number=number,
            state="waiting",
            source=source,
            reference_id=reference.id if reference and source == "reference" else None,
            job_id=job_id,
            input_format=input_format,
            rows=rows,
        )
    )
    return former.job_id if former else None


def remove(session: Session, row: ImportanceRow) -> None:
    """Forget it, and end its job."""
    end_job(session, row.job_id)
    session.delete(row)
    session.flush()


def end_job(session: Session, job_id: str) -> None:
    """Remove the job, finished or not: workers notice that they work for nothing."""
    session.execute(delete(BatchJob).where(BatchJob.id == job_id, BatchJob.purpose == PURPOSE))


def current(session: Session, model_id: str, number: int) -> ImportanceRow | None:
    """Return what is known of the version; None: nothing, or of a reference that it no longer has."""
    row = session.get(ImportanceRow, (model_id, number))
    if row is None or row.source != "reference":
        return row
    reference = drift.find_reference(session, model_id, number)
    return row if reference is not None and reference.id == row.reference_id else None


def unfinished(session: Session) -> list[ImportanceRow]:
    """Return what waits or is being computed, without a session."""
    rows = session.scalars(select(ImportanceRow).where(ImportanceRow.state.in_(UNFINISHED))).all()
    session.expunge_all()
    return list(rows)


def submit(session: Session, row: ImportanceRow, signature: dict[str, Any] | None, size: int) -> bool:
    """Make its job. False: it is no longer wanted, or another control API was first."""
    mine = _mine(session, row)
    model = session.get(ModelRow, row.model_id)
    if mine is None or model is None or mine.state != "waiting":
        return False
    job = BatchJob(
        id=row.job_id,
        owner_id=model.owner_id,
        model_id=row.model_id,
        version=f"v{row.number}",
        state="queued",
        purpose=PURPOSE,
        signature=signature,
        input_format=row.input_format,
        output_format="jsonl",
        input_bytes=size,
        key_columns=[],
        contributions=True,
    )
    session.add(job)
    mine.state = "computing"
    session.flush()
    publish_again(session, {row.model_id})
    return True


def remove_orphans(session: Session) -> list[str]:
    """Remove the jobs whose version is gone; return their ids."""
    wanted = select(ImportanceRow.job_id)
    gone = delete(BatchJob).where(BatchJob.purpose == PURPOSE, BatchJob.id.not_in(wanted))
    return list(session.scalars(gone.returning(BatchJob.id)))


def finish(
    session: Session,
    row: ImportanceRow,
    *,
    now: datetime,
    result: dict[str, Any] | None = None,
    message: str = "",
) -> None:
    """With a `result`, or failed with a message. Nothing if another has taken its place."""
    mine = _mine(session, row)
    end_job(session, row.job_id)
    if mine is None:
        return
    mine.state, mine.message = ("failed" if result is None else "ready"), message
    mine.result, mine.computed_at = result, now
    if result is not None:
        mine.rows = result["rows"]


def _mine(session: Session, row: ImportanceRow) -> ImportanceRow | None:
    query = select(ImportanceRow).where(
        ImportanceRow.model_id == row.model_id,
        ImportanceRow.number == row.number,
        ImportanceRow.job_id == row.job_id,
    )
    return session.scalars(query.with_for_update()).one_or_none()
