"""In the background: submits what waits for its version, and turns the results of ended jobs into figures."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import structlog
from modelport_http.wording import counted
from modelport_process.background import every
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from modelport_control_api.batch import repository as jobs
from modelport_control_api.batch.formats.layout import InputSignature
from modelport_control_api.batch.formats.limits import InputInvalid
from modelport_control_api.batch.options import contributions_problem
from modelport_control_api.batch.storage.chunks import read_results
from modelport_control_api.batch.storage.files import BatchFiles
from modelport_control_api.db.base import utc_now
from modelport_control_api.importance import figures, repository
from modelport_control_api.importance.rows import for_signature
from modelport_control_api.importance.tables import ImportanceRow
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry.tables import BatchJob

log = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS = 2.0
_SWEEP_EVERY_SECONDS = 300.0
# The rows of what is no job yet are swept an hour after they came.
_WAITS = timedelta(minutes=50)
_AGAIN = "Upload the reference again, or compute it from history."


@dataclass(frozen=True)
class ImportanceKeeper:
    """Any number of control APIs may do it at once: each step says what it expects to find."""

    models: ModelsServices
    files: BatchFiles

    async def run(self) -> None:
        """Look forever."""
        await self.models.statuses.synced.wait()
        await every(_LOOK_EVERY_SECONDS, self.look, failed="importance_not_computed")

    async def sweep_forever(self) -> None:
        """Remove, now and then, the jobs of versions that are gone."""
        await every(_SWEEP_EVERY_SECONDS, self.sweep, failed="importance_not_swept")

    async def sweep(self) -> None:
        """Remove jobs that compute for nobody, with their rows."""
        for job_id in await self.models.transactions.write(repository.remove_orphans):
            await self.files.remove(job_id)

    async def look(self) -> None:
        """Advance each that has not ended by a step."""
        for row in await self.models.transactions.read(repository.unfinished):
            try:
                await (self._submit(row) if row.state == "waiting" else self._collect(row))
            except FileNotFoundError:
                await self._fail(row, f"Its rows are no longer there. {_AGAIN}")

    async def _submit(self, row: ImportanceRow) -> None:
        live = self.models.statuses.get(row.model_id)
        known = live.status.version(f"v{row.number}") if live else None
        if known is None or not known.answered:
            if (known is not None and known.failed) or utc_now() - row.started_at > _WAITS:
                await self._fail(row, f"The version was not ready in time. {_AGAIN}")
            return
        described = InputSignature.read(known.signature)
        if problem := contributions_problem(described):
            await self._fail(row, f"Importance {problem}.")
            return
        try:
            size = await self._cut(row, described)
            await self.models.transactions.write(
                lambda session: repository.submit(session, row, known.signature, size)
            )
        except IntegrityError:
            log.debug("importance_submitted_elsewhere", job=row.job_id)
        except InputInvalid as error:
            await self._fail(row, str(error))

    async def _cut(self, row: ImportanceRow, described: InputSignature) -> int:
        """Leave what the model takes, and return how much that is."""
        data = await asyncio.to_thread(self._read_input, row.job_id)
        if row.source == "reference":
            data = await asyncio.to_thread(for_signature, data, described)
            await self.files.write_input(row.job_id, _pieces(data))
        return len(data)

    def _read_input(self, job_id: str) -> bytes:
        with self.files.open_input(job_id) as file:
            return file.read()

    async def _collect(self, row: ImportanceRow) -> None:
        def read(session: Session) -> tuple[BatchJob | None, list[int]]:
            job = jobs.find(session, row.job_id)
            chunks = jobs.finished_chunks(session, row.job_id) if job else []
            session.expunge_all()
            return job, chunks

        job, chunks = await self.models.transactions.read(read)
        if job is None:
            await self._fail(row, f"Its job was removed. {_AGAIN}")
        elif job.state == "succeeded":
            await self._conclude(row, chunks)
        elif job.state not in jobs.UNFINISHED:
            await self._fail(row, job.message or "Its job was broken off.")

    async def _conclude(self, row: ImportanceRow, chunks: list[int]) -> None:
        results = [read_results(await self.files.read_result(row.job_id, number)) for number in chunks]
        found = await asyncio.to_thread(figures.of_results, results)
        if found is None:
            errors = [text for chunk in results for text in chunk.errors.values()]
            first = f" The first one: {errors[0]}." if errors else ""
            await self._fail(row, f"Of {counted(row.rows, 'row')} none could be explained.{first}")
            return
        await self._finish(row, result=msgspec.to_builtins(found))

    async def _fail(self, row: ImportanceRow, message: str) -> None:
        await self._finish(row, message=message)

    async def _finish(
        self, row: ImportanceRow, *, result: dict[str, object] | None = None, message: str = ""
    ) -> None:
        await self.models.transactions.write(
            lambda session: repository.finish(session, row, now=utc_now(), result=result, message=message)
        )
        await self.files.remove(row.job_id)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data
