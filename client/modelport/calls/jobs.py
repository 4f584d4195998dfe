"""Batch jobs: predictions over files, done in the background."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal
from uuid import uuid4

from modelport.calls.paths import path_of
from modelport.calls.waiting import hold, until_done
from modelport.job import Job, JobState, ResultFormat
from modelport.steps import Flow, Listing, request, without_none
from modelport.uploads import OnProgress, upload_form


def create(
    model_id: str,
    path: str | Path,
    *,
    version: str | None,
    input_format: str | None,
    output: ResultFormat | None,
    key_columns: Sequence[str] | None,
    probabilities: bool,
    return_: Sequence[str] | None,
    webhook_url: str | None,
    idempotency_key: str | None,
    on_progress: OnProgress | None,
) -> Flow[Job]:
    """Upload the file as a new job's input; return the job, which has yet to begin."""
    texts = {
        "format": input_format,
        "output": output,
        "key_columns": None if key_columns is None else ",".join(key_columns),
        "probabilities": "true" if probabilities else None,
        "return": None if return_ is None else ",".join(return_),
        "webhook_url": webhook_url,
    }
    pinned = () if version is None else ("versions", version)
    with upload_form(path, on_progress=on_progress, sample=None, **texts) as form:
        reply = yield from request(
            "POST",
            path_of("predict", model_id, *pinned, "batch"),
            headers={"Idempotency-Key": idempotency_key or str(uuid4())},
            # Under its key it makes one job, so a cut connection is no reason to give up.
            repeatable=True,
            **form,
        )
        return Job.from_json(reply.json())


def listing(model_id: str | None, state: JobState | None) -> Listing[Job]:
    """Return the list of the account's jobs, newest first; None: of every model, in every state."""
    query = without_none(model_id=model_id, state=state)
    return Listing(path_of("jobs"), lambda each, _url: Job.from_json(each), query)


def get(job_id: str, wait: float) -> Flow[Job]:
    """Return the job, after a change or at latest after `wait` seconds."""
    reply = yield from request("GET", path_of("jobs", job_id), params=hold(wait))
    return Job.from_json(reply.json())


def wait(job_id: str, seconds: float, on_status: Callable[[Job], None] | None) -> Flow[Job]:
    """Return the job once it has ended; `seconds` at most. Raises what `until_done` raises."""
    return until_done(lambda held: get(job_id, held), seconds, on_status)


def results(job_id: str, output: ResultFormat | None, partial: bool) -> tuple[str, dict[str, str]]:
    """Path and query of its results."""
    query = without_none(format=output, partial="true" if partial else None)
    return path_of("jobs", job_id, "results"), query


def retry(job_id: str, rows: Literal["all", "failed"], idempotency_key: str | None) -> Flow[Job]:
    """Return a new job for the same rows, or for those that failed."""
    reply = yield from request(
        "POST",
        path_of("jobs", job_id, "retry"),
        params={"rows": rows},
        headers={"Idempotency-Key": idempotency_key or str(uuid4())},
        repeatable=True,
    )
    return Job.from_json(reply.json())


def delete(job_id: str) -> Flow[None]:
    """Cancel a job that has not ended; remove one that has, with its files. Raises `NotFound`."""
    yield from request("DELETE", path_of("jobs", job_id))
