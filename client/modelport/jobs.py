"""Batch jobs: predictions over files, done in the background."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote
from uuid import uuid4

from modelport.errors import JobFailed, NotReadyInTime
from modelport.job import Job, JobState, ResultFormat
from modelport.transport import Transport
from modelport.uploads import OnProgress, upload_form

# Short, so that a bar moves.
_HOLD_SECONDS = 1.0
_BUSY_LOOP_SECONDS = 0.3


class JobCalls:
    """The part of `Modelport` that is about batch jobs."""

    _transport: Transport

    def batch(
        self,
        model_id: str,
        path: str | Path,
        *,
        version: str | None = None,
        input_format: str | None = None,
        output: ResultFormat | None = None,
        key_columns: Sequence[str] | None = None,
        probabilities: bool = False,
        webhook_url: str | None = None,
        idempotency_key: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Job:
        """Have a file of rows predicted: CSV, JSON Lines, Parquet or `{"inputs": […]}`. It answers at once.

        `key_columns`: what stands beside the results; all that the model does not take unless given.
        `idempotency_key`: the same file and options under the same key make one job, however often.
        """
        texts = {
            "format": input_format,
            "output": output,
            "key_columns": None if key_columns is None else ",".join(key_columns),
            "probabilities": "true" if probabilities else None,
            "webhook_url": webhook_url,
        }
        pinned = "" if version is None else f"/versions/{quote(version, safe='')}"
        with upload_form(path, on_progress=on_progress, sample=None, **texts) as form:
            answer = self._transport.json(
                "POST",
                f"/api/v1/predict/{quote(model_id, safe='')}{pinned}/batch",
                headers={"Idempotency-Key": idempotency_key or str(uuid4())},
                # Under its key it makes one job, so a cut connection is no reason to give up.
                repeatable=True,
                **form,
            )
        return Job.from_json(answer)

    def jobs(self, *, model_id: str | None = None, state: JobState | None = None) -> list[Job]:
        """Your jobs, newest first."""
        query = {"model_id": model_id, "state": state}
        given = {name: value for name, value in query.items() if value is not None}
        return [Job.from_json(each) for each in self._transport.items("/api/v1/jobs", given)]

    def job(self, job_id: str, *, wait: float = 0) -> Job:
        """One job; with `wait`, once it has ended, or after that many seconds (60 at most)."""
        query: dict[str, Any] | None = {"wait": wait} if wait > 0 else None
        return Job.from_json(self._transport.json("GET", _path(job_id), params=query))

    def wait_for_job(
        self, job_id: str, *, seconds: float = 86_400, on_status: Callable[[Job], None] | None = None
    ) -> Job:
        """Wait until it has succeeded. Raises JobFailed, also if it was cancelled, or NotReadyInTime."""
        give_up_at = time.monotonic() + seconds
        hold = 0.0
        while True:
            asked_at = time.monotonic()
            job = self.job(job_id, wait=hold)
            if on_status is not None:
                on_status(job)
            if job.state == "succeeded":
                return job
            if job.ended:
                raise JobFailed(job)
            if time.monotonic() >= give_up_at:
                raise NotReadyInTime(f"The job {job.id} is not done after {seconds:.0f} s.")
            if hold and time.monotonic() - asked_at < _BUSY_LOOP_SECONDS:
                time.sleep(_BUSY_LOOP_SECONDS)
            hold = _HOLD_SECONDS

    def save_results(
        self,
        job_id: str,
        target: str | Path,
        *,
        output: ResultFormat | None = None,
        partial: bool = False,
    ) -> None:
        """Write a job's results to a file. `partial`: also what a cancelled or failed job did."""
        query = {"format": output, "partial": "true" if partial else None}
        given = {name: value for name, value in query.items() if value is not None}
        self._transport.download(f"{_path(job_id)}/results", given, Path(target))

    def retry_job(
        self,
        job_id: str,
        *,
        rows: Literal["all", "failed"] = "all",
        idempotency_key: str | None = None,
    ) -> Job:
        """A new job that tries the rows of one that has ended again; of the failed ones the results have the
        numbers that they have in the input."""
        answer = self._transport.json(
            "POST",
            f"{_path(job_id)}/retry",
            params={"rows": rows},
            headers={"Idempotency-Key": idempotency_key or str(uuid4())},
            repeatable=True,
        )
        return Job.from_json(answer)

    def delete_job(self, job_id: str) -> None:
        """Cancel a job that has not ended; remove one that has, with its files."""
        self._transport.call("DELETE", _path(job_id))


def _path(job_id: str) -> str:
    return f"/api/v1/jobs/{quote(job_id, safe='')}"
