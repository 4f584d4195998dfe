"""The audit log. It is written in the transaction of the change itself: neither exists without the other."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from modelport_control_api.accounts.audit.tables import AuditEntry
from modelport_control_api.db.paging import Page, read_page
from modelport_control_api.identity.caller import Caller
from modelport_control_api.identity.origin import Origin
from modelport_control_api.identity.principal import Principal


def record(
    session: Session,
    by: Caller | Origin | None,
    action: str,
    target: str,
    detail: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Keep that `action` ("api_key.create") was done to `target` ("api_key:<id>"). No secret in `detail`.

    `by`: the caller; the origin of a request without a credential; None: an operator's command.
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
