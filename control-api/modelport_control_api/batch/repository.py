"""Rows of jobs and chunks: who works at what, until when, and what is done.

A worker owns a preparation or a chunk for as long as its lease lasts. Each change here checks again whether
it still does, so that nothing is counted twice. The job's row is locked before its chunks' rows, always.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, undefer

from modelport_control_api.batch import announcing
from modelport_control_api.registry.tables import BatchChunk, BatchJob

Outcome = Literal["succeeded", "failed", "cancelled"]
UNFINISHED = ("queued", "running")
_JOBS_LOOKED_AT = 20
"""For a chunk, by turns: others may hold the chunks of the first ones."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a worker still owns. What it works at beside this was cancelled, removed, or given to another."""

    preparations: frozenset[str]
    chunks: frozenset[tuple[str, int]]


def is_preparation_free(session: Session, now: datetime, *, elsewhere: bool = False) -> bool:
    """Whether `claim_preparation` would find one. For read-only transactions."""
    return session.scalar(select(BatchJob.id).where(_waits_to_be_cut(now, elsewhere)).limit(1)) is not None


def claim_preparation(
    session: Session, worker: str, now: datetime, lease: timedelta, *, elsewhere: bool = False
) -> BatchJob | None:
    """Claim the job that waits longest for its input to be cut. Its `signature` is loaded.

    Its `prepare_attempts` count this time too. `elsewhere`: of those whose input was not sent, but named.
    """
    waiting = (
        select(BatchJob)
        .where(_waits_to_be_cut(now, elsewhere))
        .order_by(BatchJob.created_at, BatchJob.id)
        .limit(1)
        .options(undefer(BatchJob.signature))
        .with_for_update(skip_locked=True)
    )
    job = session.scalars(waiting).one_or_none()
    if job is None:
        return None
    job.worker, job.lease_until = worker, now + lease
    job.prepare_attempts += 1
    job.state, job.started_at = "running", job.started_at or now
    return job


def put_off_preparation(session: Session, job_id: str, worker: str, until: datetime, *, counts: bool) -> None:
    """Let another worker, or this one, begin again at `until`. Not `counts`: it was not the input's fault."""
    job = _lock_prepared(session, job_id, worker)
    if job is None:
        return
    job.worker, job.lease_until = None, until
    if not counts:
        job.prepare_attempts -= 1


def note_input(session: Session, job_id: str, worker: str, size: int) -> bool:
    """Record that the input lies in the object store now. False: the preparation is no longer the
    worker's.
    """
    job = _lock_prepared(session, job_id, worker)
    if job is None:
        return False
    job.input_bytes = size
    return True


def add_chunk(session: Session, job_id: str, worker: str, number: int, rows: int, *, size: int = 0) -> bool:
    """Offer a chunk whose file is whole. False: the preparation is no longer the worker's, stop it.

    Chunks that an earlier preparation offered stay as they are: the same input gives the same ones.
    """
    job = _lock_prepared(session, job_id, worker)
    if job is None:
        return False
    if session.get(BatchChunk, (job_id, number)) is None:
        session.add(BatchChunk(job_id=job_id, number=number, rows=rows))
        job.chunks_prepared = max(job.chunks_prepared, number + 1)
        job.chunk_bytes += size
    return True


def finish_preparation(
    session: Session,
    job_id: str,
    worker: str,
    *,
    rows_total: int,
    key_columns: Collection[str],
    now: datetime,
    keep: timedelta,
) -> bool:
    """Record that every row of the input is in some chunk. False: it is no longer the worker's.

    `keep`: how long the files stay, if this is the job's end.
    """
    job = _lock_prepared(session, job_id, worker)
    if job is None:
        return False
    job.rows_total, job.key_columns = rows_total, list(key_columns)
    job.worker = job.lease_until = None
    session.flush()
    _finish_if_done(session, job, now, keep)
    return True


def claim_chunk(
    session: Session, worker: str, now: datetime, lease: timedelta, *, model_id: str, version: str
) -> BatchChunk | None:
    """Claim the oldest free chunk of the version's job that has the fewest in work: no job waits for a larger
    one."""
    jobs = _jobs_with_work(now).where(BatchJob.model_id == model_id, BatchJob.version == version)
    for job_id in session.scalars(jobs).all():
        free = (
            select(BatchChunk)
            .where(BatchChunk.job_id == job_id, ~BatchChunk.done, _is_free(BatchChunk, now))
            .order_by(BatchChunk.number)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        chunk = session.scalars(free).one_or_none()
        if chunk is not None:
            chunk.worker, chunk.lease_until = worker, now + lease
            chunk.attempts += 1
            return chunk
    return None


def renew(session: Session, worker: str, in_work: Held, now: datetime, lease: timedelta) -> Held:
    """Renew for another `lease` what the worker is doing, and return what of it is still its own.

    What it holds but does not do, since it failed on the way, becomes free at its lease's end.
    """
    jobs = (
        update(BatchJob)
        .where(BatchJob.worker == worker, BatchJob.state == "running", BatchJob.id.in_(in_work.preparations))
        .values(lease_until=now + lease)
        .returning(BatchJob.id)
    )
    running = select(BatchJob.id).where(BatchJob.state == "running")
    chunks = (
        update(BatchChunk)
        .where(BatchChunk.worker == worker, ~BatchChunk.done, BatchChunk.job_id.in_(running))
        .where(tuple_(BatchChunk.job_id, BatchChunk.number).in_(in_work.chunks))
        .values(lease_until=now + lease)
        .returning(BatchChunk.job_id, BatchChunk.number)
    )
    options = {"synchronize_session": False}
    preparations = frozenset(session.scalars(jobs, execution_options=options))
    held = session.execute(chunks, execution_options=options)
    return Held(preparations, frozenset((job_id, number) for job_id, number in held))


def release_chunk(session: Session, job_id: str, number: int, worker: str) -> None:
    """Free a chunk before its lease ends; what was not the worker's stays as it is."""
    session.execute(
        update(BatchChunk)
        .where(BatchChunk.job_id == job_id, BatchChunk.number == number)
        .where(BatchChunk.worker == worker, ~BatchChunk.done)
        .values(worker=None, lease_until=None)
    )


def release_all(session: Session, worker: str) -> None:
    """Release everything: the worker is about to stop."""
    free = {"worker": None, "lease_until": None}
    # A worker that stops in order did not die of the input.
    attempts = BatchJob.prepare_attempts - 1
    jobs = update(BatchJob).where(BatchJob.worker == worker).values(**free, prepare_attempts=attempts)
    session.execute(jobs, execution_options={"synchronize_session": False})
    session.execute(update(BatchChunk).where(BatchChunk.worker == worker, ~BatchChunk.done).values(**free))


def finish_chunk(
    session: Session,
    job_id: str,
    number: int,
    worker: str,
    *,
    rows_failed: int,
    result_bytes: int = 0,
    now: datetime,
    keep: timedelta,
) -> bool:
    """Count a chunk whose result file is whole. The last one ends the job. False: it was not the worker's."""
    job = _lock(session, job_id)
    if job is None or job.state != "running":
        return False
    chunk = session.get(BatchChunk, (job_id, number), populate_existing=True)
    if chunk is None or chunk.done or chunk.worker != worker:
        return False
    chunk.done, chunk.rows_failed = True, rows_failed
    chunk.worker = chunk.lease_until = None
    job.rows_done += chunk.rows
    job.rows_failed += rows_failed
    job.result_bytes += result_bytes
    session.flush()
    _finish_if_done(session, job, now, keep)
    return True


def fail_job(
    session: Session, job_id: str, reason: str, message: str, *, now: datetime, keep: timedelta
) -> bool:
    """End a job that cannot be done. `reason` is one of `modelport_crds.reasons`. False: it has ended."""
    job = _lock(session, job_id)
    if job is None or job.state not in UNFINISHED:
        return False
    job.reason, job.message = reason, message
    end(session, job, "failed", now, keep)
    return True


def end(session: Session, job: BatchJob, outcome: Outcome, now: datetime, keep: timedelta) -> None:
    """The job's row must be locked. Its webhook is due from here on, in the same transaction."""
    job.state, job.finished_at, job.expires_at = outcome, now, now + keep
    job.worker = job.lease_until = None
    session.flush()
    announcing.announce(session, job, now)


def requested_replicas(session: Session) -> dict[tuple[str, str], int]:
    """How many jobs are unfinished of each (model id, version)."""
    query = (
        select(BatchJob.model_id, BatchJob.version, func.count())
        .where(BatchJob.state.in_(UNFINISHED))
        .group_by(BatchJob.model_id, BatchJob.version)
    )
    return {(model_id, version): count for model_id, version, count in session.execute(query)}


def unfinished(session: Session, model_id: str, version: str) -> list[str]:
    """Ids of the version's jobs that have not ended."""
    of_version = (BatchJob.model_id == model_id) & (BatchJob.version == version)
    return list(session.scalars(select(BatchJob.id).where(of_version, BatchJob.state.in_(UNFINISHED))))


def note_waiting(session: Session, model_id: str, version: str, words: str) -> None:
    """Record what the version's unfinished jobs wait for. Empty `words`: for nothing."""
    of_version = (BatchJob.model_id == model_id) & (BatchJob.version == version)
    waiting = update(BatchJob).where(
        of_version, BatchJob.state.in_(UNFINISHED), BatchJob.waiting_for != words
    )
    session.execute(waiting.values(waiting_for=words), execution_options={"synchronize_session": False})


def find(session: Session, job_id: str) -> BatchJob | None:
    """Return the job, whoever owns it, without locking it; None: there is none."""
    return session.get(BatchJob, job_id)


def lock(session: Session, job_id: str) -> BatchJob | None:
    """Hold the row until the transaction ends."""
    return _lock(session, job_id)


def finished_chunks(session: Session, job_id: str) -> list[int]:
    """Numbers of the chunks with results, in order."""
    query = select(BatchChunk.number).where(BatchChunk.job_id == job_id, BatchChunk.done)
    return list(session.scalars(query.order_by(BatchChunk.number)))


def _lock(session: Session, job_id: str) -> BatchJob | None:
    # Populated again: the session may have read the row before it was locked.
    query = select(BatchJob).where(BatchJob.id == job_id).with_for_update()
    return session.scalars(query, execution_options={"populate_existing": True}).one_or_none()


def _lock_prepared(session: Session, job_id: str, worker: str) -> BatchJob | None:
    job = _lock(session, job_id)
    return job if job is not None and job.state == "running" and job.worker == worker else None


def _finish_if_done(session: Session, job: BatchJob, now: datetime, keep: timedelta) -> None:
    undone = select(BatchChunk.number).where(BatchChunk.job_id == job.id, ~BatchChunk.done).limit(1)
    if job.rows_total is not None and session.scalar(undone) is None:
        end(session, job, "succeeded", now, keep)


def _jobs_with_work(now: datetime) -> Any:
    undone = (BatchChunk.job_id == BatchJob.id) & ~BatchChunk.done
    in_work = select(func.count()).where(undone, BatchChunk.lease_until > now).scalar_subquery()
    free = select(BatchChunk.number).where(undone, _is_free(BatchChunk, now)).exists()
    return (
        select(BatchJob.id)
        .where(BatchJob.state == "running", free)
        .order_by(in_work, BatchJob.created_at, BatchJob.id)
        .limit(_JOBS_LOOKED_AT)
    )


def _waits_to_be_cut(now: datetime, elsewhere: bool) -> ColumnElement[bool]:
    is_named = BatchJob.input_uri.is_not(None) if elsewhere else BatchJob.input_uri.is_(None)
    is_uncut = and_(BatchJob.state.in_(UNFINISHED), BatchJob.rows_total.is_(None))
    return and_(is_uncut, is_named, _is_free(BatchJob, now))


def _is_free(table: type[BatchJob] | type[BatchChunk], now: datetime) -> ColumnElement[bool]:
    return or_(table.lease_until.is_(None), table.lease_until <= now)
