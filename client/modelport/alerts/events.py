"""What happened to models and jobs."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """`summary` is one sentence; `data` has it, the model, and what else the type has (`/help/webhooks`)."""

    id: str
    type: str
    at: datetime
    read: bool
    model_id: str
    model_name: str
    version: str | None
    summary: str
    data: Json = field(repr=False, compare=False)
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, said: Json) -> "Event":
        """Read the API's JSON. Raises KeyError without id, type, time or data."""
        data = said["data"]
        return cls(
            id=said["id"],
            type=said["type"],
            at=datetime.fromisoformat(said["at"]),
            read=bool(said.get("read")),
            model_id=data.get("model_id") or "",
            model_name=data.get("model_name") or "",
            version=data.get("version"),
            summary=data.get("summary") or "",
            data=data,
            raw=said,
        )
