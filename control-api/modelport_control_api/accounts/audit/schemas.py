"""What the audit calls answer, as docs/api.md has it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class AuditOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    at: datetime
    actor_id: str | None = Field(description="Who did it; null: nobody was logged in, or the platform.")
    credential: str | None = Field(description="By what: session:<id> or api_key:<id>.")
    action: str = Field(examples=["api_key.create"])
    target: str = Field(examples=["api_key:3f0c2a6e-7b1d-4b0e-9d0b-2f6a4f6f5c11"])
    detail: dict[str, Any]
    ip: str | None
    request_id: str | None


class AuditList(BaseModel):
    items: list[AuditOut]
    next_cursor: str | None
