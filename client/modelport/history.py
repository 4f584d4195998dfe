"""Requests and responses that the platform keeps of a model whose history is on."""

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
    """The whole response."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "KeptPrediction":
        """Read one item of the API's list. Raises KeyError without ids, version, time or status."""
        return cls(
            id=data["id"],
            model_id=data["model_id"],
            version=data["version"],
            at=datetime.fromisoformat(data["at"]),
            caller_id=data.get("caller_id"),
            request_id=data.get("request_id") or "",
            status=data["status"],
            reason=data.get("reason") or "",
            cache=data.get("cache") or "",
            seconds=data.get("seconds") or 0.0,
            request=data.get("request"),
            answer=data.get("answer"),
            truncated=bool(data.get("truncated")),
            raw=data,
        )
