# Generated from resources/jobs.py by client/generate_async.py: make docs.
"""`client.jobs`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from modelport.calls import jobs
from modelport.job import Job, JobState, ResultFormat
from modelport.transport.asynchronous import AsyncTransport
from modelport.uploads import OnProgress


class AsyncJobs:
    """Predictions over files, in the background. Every method raises `ModelportError`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def create(
        self,
        model_id: str,
        path: str | Path,
        *,
        version: str | None = None,
        input_format: str | None = None,
        output: ResultFormat | None = None,
        key_columns: Sequence[str] | None = None,
        probabilities: bool = False,
        return_: Sequence[str] | None = None,
        webhook_url: str | None = None,
        idempotency_key: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Job:
        """Upload a file of rows: CSV, JSON Lines, Parquet or `{"inputs": […]}`. It returns at once.

        Args:
            input_format: `csv`, `jsonl`, `parquet` or `json`; read from the file unless given.
            key_columns: What stands beside the results; all that the model does not take unless given.
            return_: Of `prediction`, `probabilities` and `contributions`; the prediction is always there.
            webhook_url: Is sent a signed message about the job's end; `webhook_secret` of the job signs it.
            idempotency_key: The same file and options under the same key make one job, however often.
            on_progress: Called with the bytes sent so far and all bytes of the file.

        Raises:
            InvalidRequest: The format of the file is not known, or an option of it is wrong.
            RateLimited: As many jobs wait as an account may have.
            Unavailable: The model has no version that is ready.
        """
        flow = jobs.create(
            model_id,
            path,
            version=version,
            input_format=input_format,
            output=output,
            key_columns=key_columns,
            probabilities=probabilities,
            return_=return_,
            webhook_url=webhook_url,
            idempotency_key=idempotency_key,
            on_progress=on_progress,
        )
        return await self._transport.run(flow)

    async def get(self, job_id: str, *, wait: float = 0) -> Job:
        """Return one job.

        Args:
            wait: Seconds, 60 at most: return once it has ended, or after so long.
        """
        return await self._transport.run(jobs.get(job_id, wait))

    async def wait(
        self, job_id: str, *, seconds: float = 86_400, on_status: Callable[[Job], None] | None = None
    ) -> Job:
        """Return the job once it has succeeded.

        Args:
            on_status: Called with each state on the way.

        Raises:
            JobFailed: It has ended without all its results; also if it was cancelled.
            NotReadyInTime: It goes on after `seconds`.
        """
        return await self._transport.run(jobs.wait(job_id, seconds, on_status))

    async def save_results(
        self,
        job_id: str,
        target: str | Path,
        *,
        output: ResultFormat | None = None,
        partial: bool = False,
    ) -> None:
        """Write a job's results to a file, which is there once it is whole.

        Args:
            output: Another format than that of the job.
            partial: Also what a cancelled or failed job did.

        Raises:
            Conflict: It has not ended, or `partial` is needed.
        """
        path, query = jobs.results(job_id, output, partial)
        return await self._transport.download(path, query, Path(target))

    async def retry(
        self,
        job_id: str,
        *,
        rows: Literal["all", "failed"] = "all",
        idempotency_key: str | None = None,
    ) -> Job:
        """Make a new job of the rows of one that has ended.

        Of the failed ones the results have the numbers that they have in the input.
        """
        return await self._transport.run(jobs.retry(job_id, rows, idempotency_key))

    async def delete(self, job_id: str) -> None:
        """Cancel a job that has not ended; remove one that has, with its files."""
        return await self._transport.run(jobs.delete(job_id))

    async def list(self, *, model_id: str | None = None, state: JobState | None = None) -> list[Job]:
        """Return your jobs, newest first."""
        return await self._transport.run(jobs.listing(model_id, state).whole())

    __call__ = list
