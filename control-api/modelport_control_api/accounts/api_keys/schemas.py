"""Bodies of the API-key calls, as docs/api.md has them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from modelport_control_api.db.base import utc_now
from modelport_control_api.http.bodies import Line, RequestBody

Scope = Literal["predict", "models:read", "models:write", "analytics:read"]
ModelId = Annotated[Line, Field(min_length=1, max_length=253)]


def _refuse_past(moment: datetime) -> datetime:
    if moment <= utc_now():
        raise ValueError("must be in the future")
    return moment


def _without_repeats(scopes: list[Scope]) -> list[Scope]:
    return list(dict.fromkeys(scopes))


def _default_scopes() -> list[Scope]:
    return ["predict"]


Scopes = Annotated[list[Scope], Field(min_length=1), AfterValidator(_without_repeats)]


class NewKey(RequestBody):
    name: Annotated[Line, Field(min_length=1, max_length=100, examples=["ci"])]
    scopes: Scopes = Field(default_factory=_default_scopes)
    model_ids: Annotated[list[ModelId] | None, Field(min_length=1, max_length=100)] = None
    """None: every model of the user."""
    expires_at: Annotated[AwareDatetime, AfterValidator(_refuse_past)] | None = None


class Rotation(RequestBody):
    grace_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    """How long the old key goes on working."""


class KeyOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    prefix: str
    scopes: list[str]
    model_ids: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class KeyWithSecret(KeyOut):
    key: str = Field(description="Shown this once")


class KeyList(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    items: list[KeyOut]
    next_cursor: str | None
