"""Links that set a password: made by administrators, used once, stored as hashes."""

import secrets
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.auth.errors import NotWhileDisabled, PasswordLinkInvalid
from modelport_control_api.accounts.tables import PasswordLink, User, made_by_working_admin
from modelport_control_api.db.base import new_id, utc_now
from modelport_control_api.identity import Caller


def create(
    session: Session, by: Caller | None, maker_id: str, user: User, life: timedelta
) -> tuple[PasswordLink, str]:
    """Return the row and the token, which is stored nowhere. An earlier link of the user ends.

    `by` None: an operator's command. `maker_id`: the administrator with whose role it ends. The user's row
    must be locked. Raises `NotWhileDisabled`.
    """
    if user.disabled_at is not None:
        raise NotWhileDisabled("The account is disabled, so no link works: enable it, then make one.")
    withdraw_of(session, user.id)
    token = secrets.token_urlsafe(32)
    row = PasswordLink(
        id=new_id(),
        user_id=user.id,
        token_sha256=_sha256(token),
        created_by=maker_id,
        expires_at=utc_now() + life,
    )
    session.add(row)
    session.flush()
    detail = {"expires_at": row.expires_at.isoformat()}
    audit.record(session, by, "password_link.create", f"user:{user.id}", detail)
    return row, token


def withdraw_of(session: Session, user_id: str) -> None:
    """End the link that would set this user's password."""
    _delete(session, PasswordLink.user_id == user_id)


def withdraw_all_of(session: Session, user_id: str) -> None:
    """End the user's own link, and those that the user has made for others."""
    _delete(session, or_(PasswordLink.user_id == user_id, PasswordLink.created_by == user_id))


def email_of(session: Session, token: str) -> str:
    """Return the address of the account whose password it sets. Raises `PasswordLinkInvalid`."""
    email = session.scalars(_of_its_user(User.email, token)).one_or_none()
    if email is None:
        raise PasswordLinkInvalid
    return email


def use(session: Session, token: str) -> str:
    """Lock its user, return the id, and end the link: of two that come at once one is too late.

    Raises `PasswordLinkInvalid`.
    """
    # Before the link, as those who withdraw it lock the two: else each could wait for the other.
    session.execute(_of_its_user(User.id, token).with_for_update(of=User, key_share=True)).all()
    used = delete(PasswordLink).where(*_good(token)).returning(PasswordLink.user_id)
    user_id = session.scalars(used.execution_options(synchronize_session=False)).one_or_none()
    if user_id is None:
        raise PasswordLinkInvalid
    return user_id


def _of_its_user(column: InstrumentedAttribute[str], token: str) -> Select[str]:
    return select(column).join(PasswordLink, PasswordLink.user_id == User.id).where(*_good(token))


def _good(token: str) -> tuple[ColumnElement[bool], ...]:
    return (
        PasswordLink.token_sha256 == _sha256(token),
        PasswordLink.expires_at > utc_now(),
        PasswordLink.user_id.in_(select(User.id).where(User.disabled_at.is_(None))),
        made_by_working_admin(PasswordLink),
    )


def _delete(session: Session, which: ColumnElement[bool]) -> None:
    session.execute(delete(PasswordLink).where(which).execution_options(synchronize_session=False))


def _sha256(token: str) -> str:
    return sha256(token.encode()).hexdigest()
