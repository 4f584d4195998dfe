"""The JSON of jobs, as docs/api.md shows it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class WebhookAnswer(BaseModel):
    """How the message about a job's end fares. `attempts`: tries so far; `last_error`: of the last one."""

    url: str
    state: Literal["waiting", "delivered", "given_up"]
    attempts: int
    last_error: str | None


class JobAnswer(BaseModel):
    """`rows_total` is null until the input was read to its end; `progress` is 0 until then.

    `waiting_for` is what an unfinished job waits for, in words; null once its rows are being predicted.
    `input_name` is what the file was called, empty if unknown. `retry_of`: the job whose rows this one
    tries again, and `retry_rows` which of them.
    `input_uri` is without its query, which may hold a credential.
    `results_url` is null until the job has succeeded and once its files are gone.
    """

    id: str
    model_id: str
    version: str
    state: State
    reason: str
    message: str
    waiting_for: str | None
    input_name: str
    retry_of: str | None
    retry_rows: Literal["all", "failed"] | None
    input_format: str
    output_format: str
    key_columns: list[str] | None
    probabilities: bool
    contributions: bool
    input_uri: str | None
    input_bytes: int | None
    rows_total: int | None
    rows_done: int
    rows_failed: int
    progress: float = Field(ge=0, le=1)
    rows_per_second: float | None
    estimated_seconds_left: float | None
    results_url: str | None
    webhook: WebhookAnswer | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None


class NewJobAnswer(JobAnswer):
    """`webhook_secret` signs the job's message. This response is the only place where it is ever shown."""

    webhook_secret: str | None


class JobPage(BaseModel):
    items: list[JobAnswer]
    next_cursor: str | None
