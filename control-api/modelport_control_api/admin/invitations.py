"""Invitations as administrators see them."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from modelport_control_api.accounts.auth import invites
from modelport_control_api.accounts.auth.errors import InviteNotFound
from modelport_control_api.accounts.tables import Invite
from modelport_control_api.admin.schemas import InviteEntry, InviteList, MadeInvite, NewInvite
from modelport_control_api.db.base import utc_now
from modelport_control_api.identity.origin import Origin
from modelport_control_api.identity.principal import Principal


def create(session: Session, admin: Principal, body: NewInvite, origin: Origin, base_url: str) -> MadeInvite:
    """`base_url`: where users reach the platform; empty: the link is a path."""
    row, token = invites.create(session, admin, origin, note=body.note, life=timedelta(days=body.days))
    url = f"{base_url}/ui/register?invite={token}"
    return MadeInvite(**_entry(row, utc_now()).model_dump(), token=token, url=url)


def list_page(session: Session, limit: int, cursor: str | None) -> InviteList:
    """Raises CursorInvalid."""
    page, now = invites.list_page(session, limit, cursor), utc_now()
    return InviteList(items=[_entry(row, now) for row in page.items], next_cursor=page.next_cursor)


def withdraw(session: Session, admin: Principal, invite_id: str, origin: Origin) -> None:
    """Raises `InviteNotFound`."""
    # PostgreSQL refuses a NUL with an error instead of finding nothing.
    if "\0" in invite_id:
        raise InviteNotFound
    invites.withdraw(session, admin, origin, invite_id)


def _entry(row: Invite, now: datetime) -> InviteEntry:
    return InviteEntry(
        id=row.id,
        note=row.note,
        state=invites.state_of(row, now),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        used_by=row.used_by,
    )
