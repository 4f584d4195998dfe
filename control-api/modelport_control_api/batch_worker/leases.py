"""What one worker takes from the database and gives back to it, each step in one transaction."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Self, TypeVar

from modelport_crds.reasons import Reason
from modelport_http.wording import counted
from sqlalchemy.orm import Session

from modelport_control_api.batch import repository
from modelport_control_api.batch.formats.limits import Limits
from modelport_control_api.batch.repository import Held
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database, Transactions
from modelport_control_api.registry import quotas
from modelport_control_api.registry.tables import BatchJob

Version = tuple[str, str]
"""Id of the model, name of the version."""

MAX_PREPARE_ATTEMPTS = 5
MAX_EXPLAINED_ROWS = 500
"""Of a chunk whose rows have contributions: a large forest takes a minute for so many, and what a killed
worker had of its chunk is lost."""
_T = TypeVar("_T")

_UNREADABLE = (
    f"The input could not be read: the worker died over it {MAX_PREPARE_ATTEMPTS} times, most likely for its "
    "memory. Submit it in smaller files, or in another format; the worker's log says what happened."
)


def _too_many_results(most: int) -> str:
    return (
        f"The results take more than {counted(most, 'byte')}, the most for one job: submit the input in "
        "several smaller files, without probabilities or contributions, or with fewer key_columns."
    )


@dataclass(frozen=True, slots=True)
class ClaimedInput:
    """An input to be cut. `signature`: the version's, at submission."""

    job_id: str
    input_format: str
    signature: dict[str, Any] | None
    key_columns: list[str] | None
    input_uri: str | None
    """Where it is to be fetched from first; None: it lies in the object store."""
    rows_of: str | None = None
    """The job whose rows are the input; None: the input is the job's own."""
    only_failed: bool = False
    """Of those, the ones without a prediction."""
    most_rows: int | None = None
    """Of a chunk; None: as many as usual."""

    @classmethod
    def of(cls, job: BatchJob) -> Self:
        """Copy what cutting needs. The job's deferred `signature` must be loaded, or its session open."""
        is_here = job.input_bytes is not None
        return cls(
            job.id,
            job.input_format,
            job.signature,
            job.key_columns,
            None if is_here else job.input_uri,
            job.retry_of if job.has_rows_of_another else None,
            only_failed=job.retry_rows == "failed",
            most_rows=MAX_EXPLAINED_ROWS if job.contributions else None,
        )


@dataclass(frozen=True, slots=True)
class ClaimedChunk:
    """`attempts`: how often it was taken, this time included."""

    job_id: str
    number: int
    attempts: int
    probabilities: bool
    contributions: bool = False


class LeaseRepository:
    """`worker` is the name that the leases of one process bear."""

    def __init__(
        self,
        database: Database,
        worker: str,
        *,
        lease_seconds: float,
        keep: timedelta,
        most_result_bytes: int = Limits().job_bytes,
        most_user_bytes: int = sys.maxsize,
    ) -> None:
        """keep: how long a finished job's files stay. most_result_bytes: of one job. most_user_bytes: of all
        that a user holds for whom nothing else was set."""
        self._transactions = Transactions(database)
        self._database = database
        self._worker = worker
        self._lease = timedelta(seconds=lease_seconds)
        self._keep = keep
        self._most_result_bytes = most_result_bytes
        self._quota = quotas.Limits(max_models=0, max_bytes=most_user_bytes)

    async def open_versions(self) -> set[Version]:
        """The versions that have unfinished jobs."""
        return set(await self._transactions.read(repository.requested_replicas))

    async def claim_input(self, *, elsewhere: bool = False) -> ClaimedInput | None:
        """`elsewhere`: one of those that are fetched first."""

        def claim(session: Session) -> ClaimedInput | None:
            now, lease = utc_now(), self._lease
            while job := repository.claim_preparation(session, self._worker, now, lease, elsewhere=elsewhere):
                if job.prepare_attempts <= MAX_PREPARE_ATTEMPTS:
                    return ClaimedInput.of(job)
                self._give_up(session, job.id)
            return None

        # Looked for every second: only what is found is worth SQLite's one lock for writers.
        if not await self._transactions.read(
            lambda session: repository.is_preparation_free(session, utc_now(), elsewhere=elsewhere)
        ):
            return None
        return await self._transactions.write(claim)

    async def put_off_input(self, job_id: str, *, counts: bool) -> None:
        """Have it begun again after a lease's time. Not `counts`: it was not the input's fault."""
        until = utc_now() + self._lease
        await self._transactions.write(
            lambda session: repository.put_off_preparation(
                session, job_id, self._worker, until, counts=counts
            )
        )

    async def note_input(self, job_id: str, size: int) -> bool:
        """False: the preparation is no longer ours. Raises QuotaReached."""

        def note(session: Session) -> bool:
            is_ours = repository.note_input(session, job_id, self._worker, size)
            return is_ours and self._has_room(session, job_id)

        return await self._transactions.write(note)

    def chunks_of(self, job_id: str) -> tuple[int, set[int]]:
        """How many chunks a job has, and which of them are done. Blocks."""
        with self._database.transaction(read_only=True) as session:
            job = repository.find(session, job_id)
            done = set(repository.finished_chunks(session, job_id))
            return (job.chunks_prepared if job else 0), done

    async def note_waiting(self, version: Version, words: str) -> None:
        """Record what the version's jobs wait for; nothing if `words` is empty."""
        await self._transactions.write(lambda session: repository.note_waiting(session, *version, words))

    def add_chunk(self, job_id: str, number: int, rows: int, size: int) -> bool:
        """False: the preparation is no longer ours. Raises QuotaReached. Blocks."""

        def add(session: Session) -> bool:
            is_ours = repository.add_chunk(session, job_id, self._worker, number, rows, size=size)
            return is_ours and self._has_room(session, job_id)

        return self._write(add)

    def finish_input(self, job_id: str, rows: int, key_columns: Sequence[str]) -> bool:
        """Blocks."""
        return self._write(
            lambda session: repository.finish_preparation(
                session,
                job_id,
                self._worker,
                rows_total=rows,
                key_columns=key_columns,
                now=utc_now(),
                keep=self._keep,
            )
        )

    async def claim_chunk(self, version: Version) -> ClaimedChunk | None:
        """Lease the oldest free chunk of the version's job with the fewest in work; None: none is free."""

        def claim(session: Session) -> ClaimedChunk | None:
            chunk = repository.claim_chunk(
                session, self._worker, utc_now(), self._lease, model_id=version[0], version=version[1]
            )
            job = None if chunk is None else repository.find(session, chunk.job_id)
            if chunk is None or job is None:
                return None
            return ClaimedChunk(
                chunk.job_id, chunk.number, chunk.attempts, job.probabilities, job.contributions
            )

        return await self._transactions.write(claim)

    async def finish_chunk(self, chunk: ClaimedChunk, rows_failed: int, result_bytes: int) -> bool:
        """False: it was not ours, or the job has more results than it may and was ended.

        Raises QuotaReached.
        """

        def finish(session: Session) -> bool:
            job = repository.lock(session, chunk.job_id)
            if job is not None and job.result_bytes + result_bytes > self._most_result_bytes:
                text = _too_many_results(self._most_result_bytes)
                self._fail(session, chunk.job_id, Reason.INPUT_INVALID, text, keeps_files=False)
                return False
            is_ours = repository.finish_chunk(
                session,
                chunk.job_id,
                chunk.number,
                self._worker,
                rows_failed=rows_failed,
                result_bytes=result_bytes,
                now=utc_now(),
                keep=self._keep,
            )
            return is_ours and self._has_room(session, chunk.job_id)

        return await self._transactions.write(finish)

    async def has_ended(self, job_id: str, number: int | None = None) -> bool:
        """Whether the job will take no more files; with `number`: and has not counted that chunk's result."""

        def ended(session: Session) -> bool:
            job = repository.find(session, job_id)
            has_ended = job is None or job.state not in repository.UNFINISHED
            return has_ended and number not in repository.finished_chunks(session, job_id)

        return await self._transactions.read(ended)

    async def release_chunk(self, chunk: ClaimedChunk) -> None:
        await self._transactions.write(
            lambda session: repository.release_chunk(session, chunk.job_id, chunk.number, self._worker)
        )

    async def fail(self, job_id: str, reason: str, message: str, *, keeps_files: bool = True) -> None:
        await self._transactions.write(
            lambda session: self._fail(session, job_id, reason, message, keeps_files=keeps_files)
        )

    async def fail_for_good(self, job_id: str, reason: str, message: str) -> bool:
        """End a job that no retry can save. True: it has no result that anybody could read, so that its files
        are to go."""

        def fail(session: Session) -> bool:
            job = repository.lock(session, job_id)
            is_unread = job is None or job.rows_done == 0
            self._fail(session, job_id, reason, message, keeps_files=not is_unread)
            return is_unread

        return await self._transactions.write(fail)

    async def fail_all_of(self, version: Version, reason: str, message: str) -> None:
        """End every unfinished job of the version."""
        for job_id in await self._transactions.read(lambda session: repository.unfinished(session, *version)):
            await self.fail(job_id, reason, message)

    async def renew(self, in_work: Held) -> Held:
        """Prolong the leases of what this worker is doing; return what of it is still its own."""
        return await self._transactions.write(
            lambda session: repository.renew(session, self._worker, in_work, utc_now(), self._lease)
        )

    async def release_all(self) -> None:
        await self._transactions.write(lambda session: repository.release_all(session, self._worker))

    def _has_room(self, session: Session, job_id: str) -> Literal[True]:
        """Raises QuotaReached if what was just counted is too much: nothing of it then holds."""
        if job := repository.find(session, job_id):
            quotas.require_room(session, job.owner_id, self._quota, models=0, size=0)
        return True

    def _give_up(self, session: Session, job_id: str) -> None:
        """Whatever kills the workers that read it must not go on forever."""
        self._fail(session, job_id, Reason.INPUT_INVALID, _UNREADABLE, keeps_files=True)

    def _fail(self, session: Session, job_id: str, reason: str, message: str, *, keeps_files: bool) -> None:
        keep = self._keep if keeps_files else timedelta(0)
        repository.fail_job(session, job_id, reason, message, now=utc_now(), keep=keep)

    def _write(self, work: Callable[[Session], _T]) -> _T:
        with self._database.transaction() as session:
            return work(session)
