"""The audit log: written in the transaction of the change itself, and the call of docs/api.md that
reads it.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from modelport_control_api.accounts.tables import AuditEntry
from modelport_control_api.db.paging import Page, read_page
from modelport_control_api.http.context import DbSession, PageCursor, PageLimit
from modelport_control_api.http.principal import SessionPrincipal, forbidden
from modelport_control_api.http.responses import CREDENTIAL, problems
from modelport_control_api.identity import Caller, Origin, Principal


def record(
    session: Session,
    by: Caller | Origin | None,
    action: str,
    target: str,
    detail: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Record that `action` ("api_key.create") was done to `target` ("api_key:<id>"). No secret in `detail`.

    `by`: the caller; the origin of a request without a credential; None: an operator's command.
    `detail["before"]`: the values that were changed, under the names of those that hold now.
    """
    actor = by.principal if isinstance(by, Caller) else None
    origin = by.origin if isinstance(by, Caller) else by
    session.add(
        AuditEntry(
            actor_id=actor.user_id if actor else None,
            credential=f"{actor.credential}:{actor.credential_id}" if actor else None,
            action=action,
            target=target,
            detail=dict(detail),
            request_id=origin.request_id if origin else None,
            ip=origin.ip if origin else None,
        )
    )


def before_and_after(row: object, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the detail of a change that is about to be made: what differs, as it will be and as it is.

    Empty if nothing does. No secret in `changes`.
    """
    different = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not different:
        return {}
    return {**different, "before": {name: getattr(row, name) for name in different}}


def list_page(
    session: Session, reader: Principal, limit: int, cursor: str | None, *, everybody: bool = False
) -> Page[AuditEntry]:
    """Return what the reader did or what was done to the account, newest first; `everybody`: all entries.

    Raises CursorInvalid.
    """
    query = select(AuditEntry)
    if not everybody:
        own = (AuditEntry.actor_id == reader.user_id, AuditEntry.target == f"user:{reader.user_id}")
        query = query.where(or_(*own))
    return read_page(session, query, AuditEntry, limit, cursor)


class AuditOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    at: datetime
    actor_id: str | None = Field(description="Who did it; null: nobody was logged in, or the platform.")
    credential: str | None = Field(description="By what: session:<id> or api_key:<id>.")
    action: str = Field(examples=["api_key.create"])
    target: str = Field(examples=["api_key:3f0c2a6e-7b1d-4b0e-9d0b-2f6a4f6f5c11"])
    detail: dict[str, Any] = Field(
        description="What was done, with the new values; `before` has the old ones under the same names.",
        examples=[{"changes": {"access": "public"}, "before": {"access": "private"}}],
    )
    ip: str | None
    request_id: str | None


class AuditList(BaseModel):
    items: list[AuditOut]
    next_cursor: str | None


router = APIRouter(prefix="/api/v1/audit", tags=["accounts"], responses=problems(*CREDENTIAL, 422))

Everybody = Annotated[bool, Query(alias="all", description="What all users did; for administrators.")]


@router.get("", response_model=AuditList)
def list_entries(
    principal: SessionPrincipal,
    session: DbSession,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
    everybody: Everybody = False,
) -> Page[AuditEntry]:
    """What you did, and what was done to your account, newest first."""
    if everybody and not principal.is_admin:
        raise forbidden("Only administrators may read everybody's entries: leave all out.")
    return list_page(session, principal, limit, cursor, everybody=everybody)
