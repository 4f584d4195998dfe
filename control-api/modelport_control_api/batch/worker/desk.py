"""What one worker takes from the database and gives back to it, each step in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self, TypeVar

from modelport_crds.reasons import Reason
from sqlalchemy.orm import Session

from modelport_control_api.batch import repository
from modelport_control_api.batch.formats.limits import Limits
from modelport_control_api.batch.repository import Held
from modelport_control_api.batch.tables import BatchJob
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database
from modelport_control_api.models.transactions import Transactions

Version = tuple[str, str]
"""Id of the model, name of the version."""

MAX_PREPARE_ATTEMPTS = 5
_T = TypeVar("_T")

_UNREADABLE = (
    f"The input could not be read: the worker died over it {MAX_PREPARE_ATTEMPTS} times, most likely for its "
    "memory. Submit it in smaller files, or in another format; the worker's log says what happened."
)


def _too_many_results(most: int) -> str:
    return (
        f"The results take more than {most} bytes, the most for one job: submit the input in several smaller "
        "files, without probabilities, or with fewer key_columns."
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

    @classmethod
    def of(cls, job: BatchJob) -> Self:
        is_here = job.input_bytes is not None
        return cls(
            job.id,
            job.input_format,
            job.signature,
            job.key_columns,
            None if is_here else job.input_uri,
            job.retry_of if job.has_rows_of_another else None,
            only_failed=job.retry_rows == "failed",
        )


@dataclass(frozen=True, slots=True)
class ClaimedChunk:
    """`attempts`: how often it was taken, this time included."""

    job_id: str
    number: int
    attempts: int
    probabilities: bool


class Desk:
    """`worker` is the name that the leases of one process bear."""

    def __init__(
        self,
        database: Database,
        worker: str,
        *,
        lease_seconds: float,
        keep: timedelta,
        most_result_bytes: int = Limits().job_bytes,
    ) -> None:
        """keep: how long a finished job's files stay. most_result_bytes: of one job."""
        self._transactions = Transactions(database, on_commit=lambda: None)
        self._database = database
        self._worker = worker
        self._lease = timedelta(seconds=lease_seconds)
        self._keep = keep
        self._most_result_bytes = most_result_bytes

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
        """False: the preparation is no longer ours."""
        return await self._transactions.write(
            lambda session: repository.note_input(session, job_id, self._worker, size)
        )

    def chunks_of(self, job_id: str) -> tuple[int, set[int]]:
        """How many chunks a job has, and which of them are done. Blocks."""
        with self._database.transaction(read_only=True) as session:
            job = repository.find(session, job_id)
            done = set(repository.finished_chunks(session, job_id))
            return (job.chunks_prepared if job else 0), done

    async def note_waiting(self, version: Version, words: str) -> None:
        """Say what the version's jobs wait for; nothing if `words` is empty."""
        await self._transactions.write(lambda session: repository.note_waiting(session, *version, words))

    def add_chunk(self, job_id: str, number: int, rows: int) -> bool:
        """False: the preparation is no longer ours. Blocks."""
        return self._write(lambda session: repository.add_chunk(session, job_id, self._worker, number, rows))

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
        def claim(session: Session) -> ClaimedChunk | None:
            chunk = repository.claim_chunk(
                session, self._worker, utc_now(), self._lease, model_id=version[0], version=version[1]
            )
            job = None if chunk is None else repository.find(session, chunk.job_id)
            if chunk is None or job is None:
                return None
            return ClaimedChunk(chunk.job_id, chunk.number, chunk.attempts, job.probabilities)

        return await self._transactions.write(claim)

    async def finish_chunk(self, chunk: ClaimedChunk, rows_failed: int, result_bytes: int) -> bool:
        """False: it was not ours, or the job has more results than it may and was ended."""

        def finish(session: Session) -> bool:
            job = repository.lock(session, chunk.job_id)
            if job is not None and job.result_bytes + result_bytes > self._most_result_bytes:
                text = _too_many_results(self._most_result_bytes)
                self._fail(session, chunk.job_id, Reason.INPUT_INVALID, text, keeps_files=False)
                return False
            return repository.finish_chunk(
                session,
                chunk.job_id,
                chunk.number,
                self._worker,
                rows_failed=rows_failed,
                result_bytes=result_bytes,
                now=utc_now(),
                keep=self._keep,
            )

        return await self._transactions.write(finish)

    async def release_chunk(self, chunk: ClaimedChunk) -> None:
        await self._transactions.write(
            lambda session: repository.release_chunk(session, chunk.job_id, chunk.number, self._worker)
        )

    async def fail(self, job_id: str, reason: str, message: str, *, keeps_files: bool = True) -> None:
        await self._transactions.write(
            lambda session: self._fail(session, job_id, reason, message, keeps_files=keeps_files)
        )

    async def fail_all_of(self, version: Version, reason: str, message: str) -> None:
        """End every unfinished job of the version."""
        for job_id in await self._transactions.read(lambda session: repository.unfinished(session, *version)):
            await self.fail(job_id, reason, message)

    async def renew(self) -> Held:
        return await self._transactions.write(
            lambda session: repository.renew(session, self._worker, utc_now(), self._lease)
        )

    async def release_all(self) -> None:
        await self._transactions.write(lambda session: repository.release_all(session, self._worker))

    def _give_up(self, session: Session, job_id: str) -> None:
        """Whatever kills the workers that read it must not go on for ever."""
        self._fail(session, job_id, Reason.INPUT_INVALID, _UNREADABLE, keeps_files=True)

    def _fail(self, session: Session, job_id: str, reason: str, message: str, *, keeps_files: bool) -> None:
        keep = self._keep if keeps_files else timedelta(0)
        repository.fail_job(session, job_id, reason, message, now=utc_now(), keep=keep)

    def _write(self, work: Callable[[Session], _T]) -> _T:
        with self._database.transaction() as session:
            return work(session)
