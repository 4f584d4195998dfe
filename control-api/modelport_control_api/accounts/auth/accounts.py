"""Registering and changing accounts, and the account that a new installation begins with."""

from pydantic import SecretStr
from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.api_keys import service as api_keys
from modelport_control_api.accounts.auth import invites, password_links, schemas, throttle
from modelport_control_api.accounts.auth.errors import (
    EmailTaken,
    InviteNeeded,
    PasswordTooWeak,
    RegistrationClosed,
    WrongCurrentPassword,
)
from modelport_control_api.accounts.auth.schemas import AccountChange, NewPassword, Registration
from modelport_control_api.accounts.errors import AccountGone
from modelport_control_api.accounts.passwords import Passwords, broken_rules
from modelport_control_api.accounts.sessions import ended
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
    """Raises `WrongCurrentPassword`, `PasswordTooWeak`, `EmailTaken` or a 429 problem.

    A new password ends the user's other sessions and, if requested, the API keys.
    """
    checked: User | None = None
    new_hash: str | None = None
    if body.current_password and (body.password or body.email):
        checked = await check_own_password(services, principal, body.current_password, origin)
        new_hash = await _hash_new(services, body, checked)
    if body.email:
        # Which addresses are registered is found out by registering, too.
        await throttle.registration(services, origin)
    by = Caller(principal, origin)
    try:
        user = await services.transactions.write(
            lambda session: _update(session, by, body, checked, new_hash)
        )
    except IntegrityError as error:
        raise EmailTaken(body.email or "") from error
    if new_hash:
        ended.report(services, user.id)
    return user


async def check_own_password(
    services: AccountServices, principal: Principal, given: SecretStr, origin: Origin
) -> User:
    """Return the account if that is its password. Raises `WrongCurrentPassword` or a 429 problem."""
    user = await get(services, principal.user_id)
    # A stolen access token must not become a way to guess the password.
    async with throttle.password_check(services, user.email, origin):
        if not await services.passwords.matches(given.get_secret_value(), user.password_hash):
            raise WrongCurrentPassword
    return user


async def set_password(services: AccountServices, body: NewPassword, origin: Origin) -> None:
    """By an administrator's link, which ends, and all sessions of its user with it.

    Raises `PasswordLinkInvalid`, `PasswordTooWeak`.
    """
    token, password = body.token.get_secret_value(), body.password.get_secret_value()
    # First: hashing is work, which a client without a link must not cause.
    email = await services.transactions.read(lambda session: password_links.email_of(session, token))
    _check_rules(password, email)
    new_hash = await services.passwords.hash(password)
    user_id = await services.transactions.write(
        lambda session: _set_by_link(session, token, new_hash, origin)
    )
    ended.report(services, user_id)


async def get(services: AccountServices, user_id: str) -> User:
    """Return the account. Raises `AccountGone`."""
    user = await services.transactions.read(lambda session: session.get(User, user_id))
    if user is None:
        raise AccountGone
    return user


def hold_checked(session: Session, checked: User) -> User:
    """Lock the account whose password was checked. Raises `AccountGone`, `WrongCurrentPassword`."""
    user = _hold(session, checked.id)
    # A link may have set another one since.
    if user.password_hash != checked.password_hash:
        raise WrongCurrentPassword
    return user


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


async def _hash_new(services: AccountServices, body: AccountChange, user: User) -> str | None:
    """None: the password stays."""
    if body.password is None:
        return None
    password = body.password.get_secret_value()
    _check_rules(password, body.email or user.email)
    return await services.passwords.hash(password)


def _set_by_link(session: Session, token: str, new_hash: str, origin: Origin) -> str:
    user_id = password_links.use(session, token)
    session.get_one(User, user_id).password_hash = new_hash
    ended.end_all(session, user_id)
    audit.record(session, origin, "user.set_password", f"user:{user_id}")
    return user_id


def _hold(session: Session, user_id: str) -> User:
    user = session.get(User, user_id, with_for_update={"key_share": True})
    if user is None:
        raise AccountGone
    return user


def _update(
    session: Session, by: Caller, body: AccountChange, checked: User | None, new_hash: str | None
) -> User:
    """`checked`: the account when its password was checked; None: none was needed."""
    principal = by.principal
    user = hold_checked(session, checked) if checked else _hold(session, principal.user_id)
    sent = body.changes()
    detail = {"changed": [*sent, *(["password"] if new_hash else [])], **audit.before_and_after(user, sent)}
    if new_hash:
        # First, as `standing.hold` has it: a new address locks the account against its sessions.
        ended.end_all(session, user.id, but=principal.credential_id)
        password_links.withdraw_of(session, user.id)
        user.password_hash = new_hash
        if body.revoke_api_keys:
            api_keys.delete_all(session, principal, by.origin)
    for column, value in sent.items():
        setattr(user, column, value)
    audit.record(session, by, "user.change", f"user:{user.id}", detail)
    return user
