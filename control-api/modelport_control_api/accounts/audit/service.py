"""The audit log. It is written in the transaction of the change itself: neither exists without the other."""

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from modelport_control_api.accounts.audit.tables import AuditEntry
from modelport_control_api.db.paging import Page, read_page
from modelport_control_api.identity.principal import Principal


def record(  # noqa: PLR0917 - one line of the log; a container for its columns would only be unpacked here
    session: Session,
    actor: Principal | None,
    action: str,
    target: str,
    detail: dict[str, Any],
    request_id: str | None,
    ip: str | None,
) -> None:
    """Keep that `actor` did `action` ("api_key.create") to `target` ("api_key:<id>"). No secret in detail."""
    session.add(
        AuditEntry(
            actor_id=actor.user_id if actor else None,
            credential=f"{actor.credential}:{actor.credential_id}" if actor else None,
            action=action,
            target=target,
            detail=detail,
            request_id=request_id,
            ip=ip,
        )
    )


def list_page(
    session: Session, reader: Principal, limit: int, cursor: str | None, *, everybody: bool = False
) -> Page[AuditEntry]:
    """Give what the reader did or what was done to the account, newest first; `everybody`: all entries.

    Raises CursorInvalid.
    """
    query = select(AuditEntry)
    if not everybody:
        own = (AuditEntry.actor_id == reader.user_id, AuditEntry.target == f"user:{reader.user_id}")
        query = query.where(or_(*own))
    return read_page(session, query, AuditEntry, limit, cursor)
