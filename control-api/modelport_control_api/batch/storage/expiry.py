"""Jobs that ended long ago: their files go, then their rows. And files of jobs that never came to be."""

import asyncio
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, update

from modelport_control_api.batch.storage.files import BatchFiles
from modelport_control_api.db.session import Database
from modelport_control_api.registry.tables import BatchChunk, BatchJob

log = structlog.get_logger(__name__)

_AT_ONCE = 50
# An input lies there before the row that names it is committed.
_YOUNG = timedelta(hours=1)
_IDS_AT_ONCE = 500
_ROWS_AT_ONCE = 500


async def expire_due(database: Database, files: BatchFiles, now: datetime) -> int:
    """Remove the files of jobs whose time is over at `now`, some at a time; give how many jobs."""
    expired = await asyncio.to_thread(_expired, database, now)
    for job_id in expired:
        await files.remove(job_id)
        # Only then: a crash in between has them removed again, which is no error.
        await asyncio.to_thread(_note_removed, database, job_id, now)
    if expired:
        log.info("expired_job_files_removed", jobs=len(expired))
    return len(expired)


async def remove_old(database: Database, now: datetime, retention: timedelta) -> int:
    """Remove the rows of jobs whose files went `retention` ago, some at a time; give how many."""
    return await asyncio.to_thread(_remove_rows, database, now - retention)


async def sweep(database: Database, files: BatchFiles, now: datetime) -> int:
    """Remove files of jobs that no row names; give how many jobs. It lists all files: call it seldom."""
    old = [stored.job_id async for stored in files.jobs() if stored.changed_at < now - _YOUNG]
    known = await asyncio.to_thread(_known, database, old)
    unknown = [job_id for job_id in old if job_id not in known]
    for job_id in unknown:
        await files.remove(job_id)
    if unknown:
        log.info("orphaned_job_files_removed", jobs=len(unknown))
    return len(unknown)


def _expired(database: Database, now: datetime) -> list[str]:
    over = select(BatchJob.id).where(BatchJob.expires_at <= now, BatchJob.files_removed_at.is_(None))
    with database.transaction(read_only=True) as session:
        return list(session.scalars(over.order_by(BatchJob.expires_at).limit(_AT_ONCE)))


def _note_removed(database: Database, job_id: str, now: datetime) -> None:
    with database.transaction() as session:
        session.execute(update(BatchJob).where(BatchJob.id == job_id).values(files_removed_at=now))
        session.execute(delete(BatchChunk).where(BatchChunk.job_id == job_id))


def _remove_rows(database: Database, before: datetime) -> int:
    old = select(BatchJob.id).where(BatchJob.expires_at <= before, BatchJob.files_removed_at.is_not(None))
    with database.transaction(read_only=True) as session:
        ids = list(session.scalars(old.order_by(BatchJob.expires_at).limit(_ROWS_AT_ONCE)))
    if ids:
        with database.transaction() as session:
            session.execute(delete(BatchJob).where(BatchJob.id.in_(ids)))
        log.info("old_jobs_removed", jobs=len(ids))
    return len(ids)


def _known(database: Database, ids: list[str]) -> set[str]:
    known: set[str] = set()
    with database.transaction(read_only=True) as session:
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[start : start + _IDS_AT_ONCE]
            known |= set(session.scalars(select(BatchJob.id).where(BatchJob.id.in_(some))))
    return known
