"""An account's standing: enabled or not, administrator or not, and its end.

One administrator who is enabled always stays, whatever is done at the same time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.auth import invites, password_links
from modelport_control_api.accounts.auth.errors import LastAdministrator, OwnAccount, UserNotFound
from modelport_control_api.accounts.sessions import ended
from modelport_control_api.accounts.tables import User, is_working_admin
from modelport_control_api.alerts import events, webhooks
from modelport_control_api.db.base import utc_now
from modelport_control_api.http.principal import forbidden
from modelport_control_api.identity import Caller


@dataclass(frozen=True, slots=True)
class Held:
    """Accounts that nobody else changes until the transaction ends: some, and all working administrators."""

    users: Mapping[str, User]

    def find(self, user_id: str) -> User:
        """Raises `UserNotFound`."""
        if user_id not in self.users:
            raise UserNotFound
        return self.users[user_id]

    def require_another_admin(self, user: User) -> None:
        """Raises `LastAdministrator` if the platform would have none without the user."""
        working = {each.id for each in self.users.values() if _is_working_admin(each)}
        if working == {user.id}:
            raise LastAdministrator


def hold(session: Session, *user_ids: str) -> Held:
    """Lock in one order, so that two who change each other do not wait for each other.

    Not against references: a session that is refreshed meanwhile needs one, and the end of all sessions that
    one's token.
    """
    # PostgreSQL refuses a NUL with an error instead of finding nothing.
    named = [user_id for user_id in user_ids if "\0" not in user_id]
    query = select(User).where(or_(User.id.in_(named), is_working_admin())).order_by(User.id)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return Held({user.id: user for user in session.scalars(locked)})


def hold_for_admin(session: Session, by: Caller, *user_ids: str) -> Held:
    """Raises a 403 problem if the caller is no administrator any more."""
    held = hold(session, by.principal.user_id, *user_ids)
    admin = held.users.get(by.principal.user_id)
    if admin is None or not _is_working_admin(admin):
        raise forbidden("This is for administrators of the platform.")
    return held


def require_other(by: Caller, user: User) -> None:
    """Raises `OwnAccount`."""
    if by.principal.user_id == user.id:
        raise OwnAccount


def disable(session: Session, by: Caller, held: Held, user: User) -> None:
    """End the user's sessions, links and invitations, and let keys and webhooks rest until the account is
    enabled again.

    Raises `OwnAccount`, `LastAdministrator`.
    """
    if user.disabled_at is not None:
        return
    require_other(by, user)
    held.require_another_admin(user)
    user.disabled_at = utc_now()
    ended.end_all(session, user.id)
    _withdraw_links(session, by, user)
    webhooks.suspend(session, user.id, suspended=True)
    audit.record(session, by, "user.disable", f"user:{user.id}", _change("disabled", old=False, new=True))


def enable(session: Session, by: Caller, user: User) -> None:
    """Let the user log in again, and keys work that have not expired."""
    if user.disabled_at is None:
        return
    user.disabled_at = None
    webhooks.suspend(session, user.id, suspended=False)
    audit.record(session, by, "user.enable", f"user:{user.id}", _change("disabled", old=True, new=False))


def promote(session: Session, by: Caller, user: User) -> None:
    """Make the user an administrator."""
    if user.is_admin:
        return
    user.is_admin = True
    audit.record(session, by, "user.promote", f"user:{user.id}", _change("is_admin", old=False, new=True))


def demote(session: Session, by: Caller, held: Held, user: User) -> None:
    """Take the role away, and what its holder made by it. Raises `OwnAccount`, `LastAdministrator`."""
    if not user.is_admin:
        return
    require_other(by, user)
    held.require_another_admin(user)
    user.is_admin = False
    _withdraw_links(session, by, user)
    audit.record(session, by, "user.demote", f"user:{user.id}", _change("is_admin", old=True, new=False))


def delete(session: Session, by: Caller, held: Held, user: User) -> None:
    """End the account with its sessions, keys, jobs and links. Its models are gone, or somebody else's.

    Raises `LastAdministrator`.
    """
    held.require_another_admin(user)
    # First: a token that is used meanwhile refers to the account, and waits while that is deleted.
    ended.end_all(session, user.id)
    events.forget_user(session, user.id)
    who = {"email": user.email, "full_name": user.full_name, "is_admin": user.is_admin}
    audit.record(session, by, "user.delete", f"user:{user.id}", who)
    session.delete(user)
    session.flush()


def _is_working_admin(user: User) -> bool:
    return user.is_admin and user.disabled_at is None


def _withdraw_links(session: Session, by: Caller, user: User) -> None:
    invites.withdraw_all_of(session, by, user.id)
    password_links.withdraw_all_of(session, user.id)


def _change(name: str, *, old: bool, new: bool) -> dict[str, Any]:
    return {name: new, "before": {name: old}}
