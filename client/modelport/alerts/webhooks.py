"""Who is sent what happens, and the messages."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Webhook:
    """`model_id` None: of all your models and jobs. `secret`: None but where it was made or rotated."""

    id: str
    url: str
    events: tuple[str, ...]
    model_id: str | None
    description: str
    enabled: bool
    secret: str | None = field(repr=False)
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, said: Json) -> "Webhook":
        """Read the API's JSON. Raises KeyError without id, url or events."""
        return cls(
            id=said["id"],
            url=said["url"],
            events=tuple(said["events"]),
            model_id=said.get("model_id"),
            description=said.get("description") or "",
            enabled=bool(said.get("enabled", True)),
            secret=said.get("secret"),
            raw=said,
        )


@dataclass(frozen=True)
class Delivery:
    """One message. `state`: `waiting`, `delivered` or `given_up`; `last_status`: the receiver's."""

    id: str
    type: str
    state: str
    attempts: int
    last_status: int | None
    last_error: str | None
    next_try_at: datetime | None
    created_at: datetime | None
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, said: Json) -> "Delivery":
        """Read the API's JSON. Raises KeyError without id, type or state."""
        return cls(
            id=said["id"],
            type=said["type"],
            state=said["state"],
            attempts=said.get("attempts") or 0,
            last_status=said.get("last_status"),
            last_error=said.get("last_error"),
            next_try_at=_time(said.get("next_try_at")),
            created_at=_time(said.get("created_at")),
            raw=said,
        )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
