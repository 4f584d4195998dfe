"""Registering and changing accounts, and the account that a new installation begins with."""

from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.api_keys import service as api_keys
from modelport_control_api.accounts.auth import invites, schemas, throttle
from modelport_control_api.accounts.auth.errors import (
    EmailTaken,
    InviteNeeded,
    PasswordTooWeak,
    RegistrationClosed,
    WrongCurrentPassword,
)
from modelport_control_api.accounts.auth.schemas import AccountChange, Registration
from modelport_control_api.accounts.passwords import Passwords, broken_rules
from modelport_control_api.accounts.sessions import api_sessions, web_sessions
from modelport_control_api.accounts.tables import User
from modelport_control_api.accounts.wiring import AccountServices
from modelport_control_api.db.base import new_id
from modelport_control_api.db.session import Database
from modelport_control_api.identity import Caller, Origin, Principal


def ensure_admin(database: Database, passwords: Passwords, email: str, password: str) -> bool:
    """Make the administrator unless there is one, or an account of that address. True: made now."""
    normalized = schemas.normalize(email)
    password_hash = passwords.hash_now(password)
    with database.transaction() as session:
        if session.scalar(select(exists().where((User.is_admin.is_(True)) | (User.email == normalized)))):
            return False
        admin = User(id=new_id(), email=normalized, password_hash=password_hash, is_admin=True)
        session.add(admin)
        audit.record(session, None, "user.create_admin", f"user:{admin.id}")
    return True


async def register(services: AccountServices, body: Registration, origin: Origin) -> User:
    """Raises `PasswordTooWeak`, `EmailTaken`, or what is wrong with the invitation where one is needed."""
    invite = _required_invite(services, body)
    if invite is not None:
        # First: a client without one must not learn which addresses are registered.
        await services.transactions.read(lambda session: invites.check(session, invite))
    password = body.password.get_secret_value()
    _check_rules(password, body.email)
    password_hash = await services.passwords.hash(password)
    user = User(email=body.email, full_name=body.full_name, password_hash=password_hash)
    try:
        await services.transactions.write(lambda session: _insert(session, user, invite, origin))
    except IntegrityError as error:
        raise EmailTaken(user.email) from error
    return user


async def change(
    services: AccountServices, principal: Principal, body: AccountChange, origin: Origin
) -> User:
    """Raises `WrongCurrentPassword`, `PasswordTooWeak` or a 429 problem.

    A new password ends the user's other sessions and, if requested, the API keys.
    """
    new_hash = None
    if body.password and body.current_password:
        given = (body.password.get_secret_value(), body.current_password.get_secret_value())
        new_hash = await _hash_new_password(services, principal, *given, origin)
    by = Caller(principal, origin)
    return await services.transactions.write(lambda session: _update(session, by, body, new_hash))


async def get(services: AccountServices, user_id: str) -> User:
    """Return the account. Raises `sqlalchemy.exc.NoResultFound` if it is gone."""
    return await services.transactions.read(lambda session: session.get_one(User, user_id))


def _required_invite(services: AccountServices, body: Registration) -> str | None:
    """None: none is needed."""
    mode = services.settings.registration
    if mode == "closed":
        raise RegistrationClosed
    if mode == "open":
        return None
    if body.invite is None:
        raise InviteNeeded
    return body.invite.get_secret_value()


def _check_rules(password: str, email: str) -> None:
    if rules := broken_rules(password, email):
        raise PasswordTooWeak(rules)


def _insert(session: Session, user: User, invite: str | None, origin: Origin) -> None:
    session.add(user)
    # The unique index decides between simultaneous registrations, not a query before.
    session.flush()
    if invite is not None:
        invites.use(session, invite, user.id)
    audit.record(session, origin, "user.register", f"user:{user.id}")


async def _hash_new_password(
    services: AccountServices, principal: Principal, password: str, current_password: str, origin: Origin
) -> str:
    user = await get(services, principal.user_id)
    # A stolen access token must not become a way to guess the password.
    async with throttle.password_check(services, user.email, origin):
        if not await services.passwords.matches(current_password, user.password_hash):
            raise WrongCurrentPassword
    _check_rules(password, user.email)
    return await services.passwords.hash(password)


def _update(session: Session, by: Caller, body: AccountChange, new_hash: str | None) -> User:
    principal = by.principal
    user = session.scalars(select(User).where(User.id == principal.user_id)).one()
    names: dict[str, Any] = {}
    if body.changes_name():
        names = {"full_name": body.full_name, "before": {"full_name": user.full_name}}
        user.full_name = body.full_name
    if new_hash:
        user.password_hash = new_hash
        api_sessions.revoke_others(session, user.id, principal.credential_id)
        web_sessions.end_others(session, user.id, principal.credential_id)
        if body.revoke_api_keys:
            api_keys.delete_all(session, principal, by.origin)
    changes = (("full_name", body.changes_name()), ("password", new_hash))
    detail = {"changed": [name for name, is_changed in changes if is_changed], **names}
    audit.record(session, by, "user.change", f"user:{user.id}", detail)
    return user
