"""A batch job as the platform describes it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from modelport.models import Json

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ResultFormat = Literal["jsonl", "csv", "parquet"]
_UNFINISHED = ("queued", "running")


@dataclass(frozen=True)
class Job:
    """`progress`: 0 to 1. `rows_total`: None until the input was read to its end.

    `webhook_secret`: what signs the message about its end, in the response that made it only.
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
    """The whole response."""

    @property
    def ended(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state not in _UNFINISHED

    @classmethod
    def from_json(cls, data: Json) -> "Job":
        """Read the API's JSON. Raises KeyError without ids, version, state or `created_at`."""
        return cls(
            id=data["id"],
            model_id=data["model_id"],
            version=data["version"],
            state=data["state"],
            reason=data.get("reason") or "",
            message=data.get("message") or "",
            output_format=data.get("output_format") or "",
            input_name=data.get("input_name") or "",
            waiting_for=data.get("waiting_for") or "",
            retry_of=data.get("retry_of"),
            rows_total=data.get("rows_total"),
            rows_done=data.get("rows_done") or 0,
            rows_failed=data.get("rows_failed") or 0,
            progress=data.get("progress") or 0.0,
            rows_per_second=data.get("rows_per_second"),
            estimated_seconds_left=data.get("estimated_seconds_left"),
            created_at=datetime.fromisoformat(data["created_at"]),
            webhook_secret=data.get("webhook_secret"),
            raw=data,
        )
