"""Writing the audit log, in the transaction of the change itself: neither exists without the other."""

from typing import Any

from sqlalchemy.orm import Session

from modelport_control_api.audit.tables import AuditEntry
from modelport_control_api.auth.identity import Principal


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
