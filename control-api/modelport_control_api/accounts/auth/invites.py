"""Invitations to register: made by administrators, used once, kept as hashes."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.auth.errors import InviteInvalid, InviteNotFound
from modelport_control_api.accounts.tables import Invite, made_by_working_admin
from modelport_control_api.db.base import new_id, utc_now
from modelport_control_api.db.paging import Page, read_page
from modelport_control_api.identity import Caller, Origin, Principal


def create(
    session: Session, admin: Principal, origin: Origin, *, note: str | None, life: timedelta
) -> tuple[Invite, str]:
    """Return the row and the token, which is kept nowhere."""
    token = secrets.token_urlsafe(32)
    row = Invite(
        id=new_id(),
        token_sha256=_sha256(token),
        note=note,
        created_by=admin.user_id,
        expires_at=utc_now() + life,
    )
    session.add(row)
    session.flush()
    _audit(session, admin, "invite.create", row.id, origin)
    return row, token


def list_page(session: Session, limit: int, cursor: str | None) -> Page[Invite]:
    """Newest first. Raises CursorInvalid."""
    return read_page(session, select(Invite), Invite, limit, cursor)


def withdraw(session: Session, admin: Principal, origin: Origin, invite_id: str) -> None:
    """Raises `InviteNotFound`. Users who have registered with it stay."""
    row = session.get(Invite, invite_id)
    if row is None:
        raise InviteNotFound
    session.delete(row)
    _audit(session, admin, "invite.delete", invite_id, origin)


def withdraw_all_of(session: Session, by: Caller, user_id: str) -> None:
    """Withdraw what the user has made and nobody has used."""
    unused = select(Invite).where(Invite.created_by == user_id, Invite.used_at.is_(None))
    for row in session.scalars(unused):
        session.delete(row)
        _audit(session, by.principal, "invite.delete", row.id, by.origin)


def check(session: Session, token: str) -> None:
    """Raises `InviteInvalid`."""
    if session.scalar(select(Invite.id).where(*_free(token, utc_now()))) is None:
        raise InviteInvalid


def use(session: Session, token: str, user_id: str) -> None:
    """Raises `InviteInvalid`. In one statement: of two that come at once one is too late."""
    now = utc_now()
    done = session.execute(
        update(Invite)
        .where(*_free(token, now))
        .values(used_at=now, used_by=user_id)
        .execution_options(synchronize_session=False)
    )
    if not isinstance(done, CursorResult) or done.rowcount != 1:
        raise InviteInvalid


def state_of(invite: Invite, now: datetime) -> Literal["open", "used", "expired"]:
    """Return the state at `now`; used wins over expired."""
    if invite.used_at is not None:
        return "used"
    return "open" if invite.expires_at > now else "expired"


def _free(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Invite.token_sha256 == _sha256(token),
        Invite.used_at.is_(None),
        Invite.expires_at > now,
        made_by_working_admin(Invite),
    )


def _sha256(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _audit(session: Session, admin: Principal, action: str, invite_id: str, origin: Origin) -> None:
    audit.record(session, Caller(admin, origin), action, f"invite:{invite_id}")
