"""What the calls for administrators answer, as docs/api.md has it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from modelport_control_api.models.schemas import Status


class Check(BaseModel):
    """`detail` says what is wrong; empty when nothing is."""

    ok: bool
    milliseconds: float = Field(description="How long it took to answer.")
    detail: str


class SystemHealth(BaseModel):
    """Numbers are null while the database does not answer."""

    ok: bool = Field(description="All checks are.")
    version: str = Field(description="Of the platform.")
    database: Check
    artifacts: Check = Field(description="The store of model files.")
    shared_store: Check = Field(description="Redis; in one process its memory.")
    cluster: Check = Field(description="The watch of the cluster's models.")
    users: int | None
    models: dict[Status, int] | None = Field(description="Of each status how many; those of kubectl too.")
    outbox_waiting: int | None = Field(description="Models that the cluster has yet to be told of.")
    outbox_oldest_seconds: float | None = Field(description="For how long; null where none waits.")
    usage_age_seconds: float | None = Field(
        description="Since usage was last written to the ledger; null: never. "
        "While there are requests it is some seconds: more means that gateways or Redis are behind."
    )
    usage_dropped: int | None = Field(
        description="Requests that gateways had to forget, of what was written in the last 24 hours."
    )
    jobs: dict[Literal["queued", "running"], int] | None = Field(description="Batch jobs under way.")


class UserEntry(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    email: str
    full_name: str | None
    is_admin: bool
    created_at: datetime
    models: int
    last_seen_at: datetime | None = Field(
        description="The last login or refresh, or use of a key; null: never, or longer ago than it is kept."
    )


class UserList(BaseModel):
    items: list[UserEntry]
    next_cursor: str | None
