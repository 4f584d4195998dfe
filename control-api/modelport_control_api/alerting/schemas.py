"""The JSON of events, as docs/api.md shows it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from modelport_control_api.alerts.types import EventType
from modelport_control_api.http.bodies import RequestBody


class EventAnswer(BaseModel):
    id: str
    type: EventType
    at: datetime
    read: bool
    data: dict[str, Any] = Field(
        description="`model_id`, `model_name`, `version`, `summary`, which is one sentence, and what else "
        "the type has."
    )


class EventList(BaseModel):
    items: list[EventAnswer]
    next_cursor: str | None
    unread: int = Field(description="How many there are that were not read, on all pages.")


class ReadEvents(RequestBody):
    id: str | None = Field(default=None, max_length=36, description="Only this one.")
    up_to: datetime | None = Field(default=None, description="None that came later. All, unless given.")
