"""Batch jobs: predictions over files, done in the background."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote
from uuid import uuid4

from modelport.errors import JobFailed, NotReadyInTime
from modelport.models import Json
from modelport.transport import Transport
from modelport.uploads import OnProgress, upload_form

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ResultFormat = Literal["jsonl", "csv", "parquet"]
_UNFINISHED = ("queued", "running")
# Short, so that a bar moves.
_HOLD_SECONDS = 1.0
_BUSY_LOOP_SECONDS = 0.3


@dataclass(frozen=True)
class Job:
    """`progress`: 0 to 1. `rows_total`: None until the input was read to its end.

    `webhook_secret`: what signs the message about its end, in the answer that made it only.
    """

    id: str
    model_id: str
    version: str
    state: JobState
    reason: str
    message: str
    output_format: str
    input_name: str
    waiting_for: str
    """In words, what an unfinished job waits for; empty once its rows are being predicted."""
    retry_of: str | None
    rows_total: int | None
    rows_done: int
    rows_failed: int
    progress: float
    rows_per_second: float | None
    estimated_seconds_left: float | None
    created_at: datetime
    webhook_secret: str | None = field(repr=False)
    raw: Json = field(repr=False, compare=False)
    """The whole answer."""

    @property
    def ended(self) -> bool:
        return self.state not in _UNFINISHED

    @classmethod
    def from_json(cls, answer: Json) -> "Job":
        return cls(
            id=answer["id"],
            model_id=answer["model_id"],
            version=answer["version"],
            state=answer["state"],
            reason=answer.get("reason") or "",
            message=answer.get("message") or "",
            output_format=answer.get("output_format") or "",
            input_name=answer.get("input_name") or "",
            waiting_for=answer.get("waiting_for") or "",
            retry_of=answer.get("retry_of"),
            rows_total=answer.get("rows_total"),
            rows_done=answer.get("rows_done") or 0,
            rows_failed=answer.get("rows_failed") or 0,
            progress=answer.get("progress") or 0.0,
            rows_per_second=answer.get("rows_per_second"),
            estimated_seconds_left=answer.get("estimated_seconds_left"),
            created_at=datetime.fromisoformat(answer["created_at"]),
            webhook_secret=answer.get("webhook_secret"),
            raw=answer,
        )


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
