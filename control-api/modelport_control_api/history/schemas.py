"""Bodies and filters of the history calls, as docs/api.md has them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelport_crds.reasons import Reason
from pydantic import BaseModel, Field

OUTCOMES = ("ok", "error", *(reason.value for reason in Reason))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of a model's stored predictions. `start` is within, `end` is not.

    `outcome`: ok, error (any), or one reason of docs/reasons.md.
    """

    start: datetime | None = None
    end: datetime | None = None
    outcome: str | None = None
    version: str | None = None


class PredictionAnswer(BaseModel):
    """One stored prediction. Redacted values are `"[redacted]"`."""

    id: str
    model_id: str
    version: str
    at: datetime = Field(description="When the response was sent.")
    caller_id: str | None = Field(description="The caller; null: unknown.")
    api_key_id: str | None
    request_id: str
    status: int
    reason: str | None
    cache: str = Field(description="hit, miss, bypass or none.")
    seconds: float
    request: Any = Field(description="null where it was too long (`truncated`), or no JSON.")
    request_bytes: int = Field(description="Of the body as it was sent.")
    answer: Any
    truncated: bool = Field(description="The bodies were longer than the model's `max_row_bytes`.")


class PredictionPage(BaseModel):
    items: list[PredictionAnswer]
    next_cursor: str | None
