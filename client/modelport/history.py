"""Requests and answers that the platform keeps of a model whose history is on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class KeptPrediction:
    """`request` and `answer` are None where they were too long (`truncated`), or no JSON.

    `reason`: why it failed; empty for a prediction. `caller_id` None: nobody that is known.
    """

    id: str
    model_id: str
    version: str
    at: datetime
    caller_id: str | None
    request_id: str
    status: int
    reason: str
    cache: str
    seconds: float
    request: Any
    answer: Any
    truncated: bool
    raw: dict[str, Any] = field(repr=False, compare=False)
    """The whole answer."""

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> "KeptPrediction":
        return cls(
            id=answer["id"],
            model_id=answer["model_id"],
            version=answer["version"],
            at=datetime.fromisoformat(answer["at"]),
            caller_id=answer.get("caller_id"),
            request_id=answer.get("request_id") or "",
            status=answer["status"],
            reason=answer.get("reason") or "",
            cache=answer.get("cache") or "",
            seconds=answer.get("seconds") or 0.0,
            request=answer.get("request"),
            answer=answer.get("answer"),
            truncated=bool(answer.get("truncated")),
            raw=answer,
        )
