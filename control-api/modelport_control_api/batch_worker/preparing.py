"""Inputs fetched if need be, and cut into chunks in a thread; what is cut is predicted while it goes on."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import structlog
from modelport_crds.reasons import Reason
from obstore.exceptions import BaseError as StoreError
from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.batch.formats.limits import Allowance, InputInvalid, InputTooLarge, Limits
from modelport_control_api.batch.preparation import Preparation
from modelport_control_api.batch.sources.fetching import Fetching, InputUnavailable
from modelport_control_api.batch.sources.uri import shown
from modelport_control_api.batch.storage.chunks import (
    Chunk,
    ChunkResults,
    read_chunk,
    read_results,
    write_chunk,
)
from modelport_control_api.batch.storage.failed_rows import FailedRows
from modelport_control_api.batch.storage.files import BatchFiles
from modelport_control_api.batch_worker.leased_tasks import LeasedTasks
from modelport_control_api.batch_worker.leases import ClaimedInput, LeaseRepository
from modelport_control_api.registry.quotas import QuotaReached


@dataclass(frozen=True)
class StoredOrigin:
    files: BatchFiles
    leases: LeaseRepository
    job_id: str
    only_failed: bool = True
    """Else as if none had been done."""

    def chunks(self) -> Iterator[tuple[Chunk, ChunkResults | None]]:
        """Yield each chunk with its results, None where it is to be predicted (again).

        Raises `FileNotFoundError` once the job has none.
        """
        count, done = self.leases.chunks_of(self.job_id)
        wanted = done if self.only_failed else set()
        if not count:
            raise FileNotFoundError(self.job_id)
        with asyncio.Runner() as runner:
            for number in range(count):
                chunk = read_chunk(runner.run(self.files.read_chunk(self.job_id, number)))
                results = None
                if number in wanted:
                    results = read_results(runner.run(self.files.read_result(self.job_id, number)))
                yield chunk, results


log = structlog.get_logger(__name__)

# Of what is here for the moment, and is no fault of the input: disk, bucket, database.
_AWAY = (OSError, StoreError, SQLAlchemyError)
_SMALL_BYTES = 64 << 10
"""What reads thousands of rows at once takes longer to import than to read these takes."""
_NO_MEMORY = (
    "The input takes more memory to read than the worker of batch jobs has: submit it in smaller files, with "
    "shorter values, or in another format (of Parquet: with smaller row groups)."
)


class Preparing:
    def __init__(
        self,
        leases: LeaseRepository,
        files: BatchFiles,
        fetching: Fetching,
        leased_tasks: LeasedTasks,
        *,
        cut: asyncio.Event,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        """cut: is set whenever a chunk can be predicted."""
        self._leases = leases
        self._files = files
        self._fetching = fetching
        self._leased_tasks = leased_tasks
        self._limits = limits
        self._cut_one = cut

    async def do_one(self, *, elsewhere: bool = False) -> bool:
        """Cut one input, if one waits. `elsewhere`: of those that are fetched first. False: none did."""
        claimed = await self._leases.claim_input(elsewhere=elsewhere)
        if claimed is None:
            return False
        task = asyncio.create_task(self._cut(claimed))
        self._leased_tasks.add(claimed.job_id, task)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
        if not task.cancelled():
            task.result()
        return True

    async def _cut(self, claimed: ClaimedInput) -> None:
        stop = threading.Event()
        try:
            if await self._fetch(claimed):
                loop = asyncio.get_running_loop()
                on_chunk = partial(loop.call_soon_threadsafe, self._cut_one.set)
                cut = self._cut_in_thread if claimed.rows_of is None else self._pick_in_thread
                await asyncio.to_thread(cut, claimed, stop, on_chunk)
        except InputUnavailable as error:
            text = f"The input could not be fetched from {shown(claimed.input_uri or '')}. {error}"
            await self._leases.fail(claimed.job_id, Reason.INPUT_INVALID, text)
        except (InputTooLarge, MemoryError, QuotaReached) as error:
            await self._end(claimed.job_id, error)
        except InputInvalid as error:
            await self._leases.fail(claimed.job_id, Reason.INPUT_INVALID, str(error))
        except FileNotFoundError:
            text = "The input is no longer there: submit the job again."
            await self._leases.fail(claimed.job_id, Reason.INPUT_INVALID, text)
        except Exception as error:  # noqa: BLE001 - logged, and begun again
            log.warning("batch_input_not_split", job=claimed.job_id, error=repr(error))
            await self._leases.put_off_input(claimed.job_id, counts=not isinstance(error, _AWAY))
        finally:
            # A thread cannot be broken off: it stops at the next chunk.
            stop.set()

    async def _end(self, job_id: str, error: Exception) -> None:
        """Nothing that was made of the input stays."""
        reason, message = Reason.INPUT_INVALID, str(error)
        if isinstance(error, MemoryError):
            message = _NO_MEMORY
        elif isinstance(error, QuotaReached):
            reason, message = Reason.STORAGE_QUOTA_REACHED, f"{error} Then submit the job again."
        await self._leases.fail(job_id, reason, message, keeps_files=False)
        await self._files.remove(job_id)

    async def _fetch(self, claimed: ClaimedInput) -> bool:
        if claimed.input_uri is None:
            return True
        size = await self._fetching.fetch(claimed.job_id, claimed.input_uri)
        if await self._leases.note_input(claimed.job_id, size):
            return True
        if await self._leases.has_ended(claimed.job_id):
            # Cancelled meanwhile: nobody knows of the file, so that it would count as nothing.
            await self._files.remove(claimed.job_id)
        return False

    def _cut_in_thread(
        self, claimed: ClaimedInput, stop: threading.Event, on_chunk: Callable[[], object]
    ) -> None:
        with self._files.open_input(claimed.job_id) as file:
            input_bytes = file.seek(0, os.SEEK_END)
            file.seek(0)
            allowance = self._limits.allowance(input_bytes)
            preparation = Preparation(
                file,
                claimed.input_format,
                claimed.signature,
                claimed.key_columns,
                limits=self._limits,
                by_row=input_bytes <= _SMALL_BYTES,
                most_rows=claimed.most_rows,
            )
            with closing(preparation):
                is_whole = self._offer(claimed.job_id, preparation.chunks(), allowance, stop, on_chunk)
            if is_whole:
                self._leases.finish_input(claimed.job_id, preparation.rows, preparation.key_columns)

    def _pick_in_thread(
        self, claimed: ClaimedInput, stop: threading.Event, on_chunk: Callable[[], object]
    ) -> None:
        origin = StoredOrigin(self._files, self._leases, claimed.rows_of or "", claimed.only_failed)
        rows = FailedRows(origin)
        # They were within it before.
        allowance = Allowance(self._limits.job_bytes, self._limits.job_bytes)
        if self._offer(claimed.job_id, rows.chunks(), allowance, stop, on_chunk):
            self._leases.finish_input(claimed.job_id, rows.rows, rows.key_columns)

    def _offer(
        self,
        job_id: str,
        chunks: Iterator[Chunk],
        allowance: Allowance,
        stop: threading.Event,
        on_chunk: Callable[[], object],
    ) -> bool:
        """False: it was broken off."""
        size = 0
        for number, chunk in enumerate(chunks):
            if stop.is_set():
                return False
            data = write_chunk(chunk)
            size += len(data)
            allowance.require(size)
            # The file first: a chunk that the database knows is whole.
            self._files.put_chunk(job_id, number, data)
            if not self._leases.add_chunk(job_id, number, chunk.rows, len(data)):
                return False
            on_chunk()
        return True
