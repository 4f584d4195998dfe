"""Logging in, refreshing and logging out, by program and by browser, and ending any session of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.auth import schemas, throttle
from modelport_control_api.accounts.auth.errors import (
    AccountDisabled,
    RefreshTokenInvalid,
    RefreshTokenReused,
    WrongEmailOrPassword,
)
from modelport_control_api.accounts.auth.schemas import TokenPair
from modelport_control_api.accounts.sessions import access_tokens, api_sessions, web_sessions
from modelport_control_api.accounts.sessions.access_tokens import AccessClaims
from modelport_control_api.accounts.sessions.api_sessions import ApiLogin
from modelport_control_api.accounts.sessions.web_sessions import Browser
from modelport_control_api.accounts.tables import User, WebSession
from modelport_control_api.accounts.wiring import AccountServices
from modelport_control_api.db.base import utc_now
from modelport_control_api.identity import Caller, Origin, Principal


async def log_in(services: AccountServices, email: str, password: str, origin: Origin) -> TokenPair:
    """Raises `WrongEmailOrPassword`, `AccountDisabled`, or a 429 problem."""
    user = await check_password(services, email, password, origin)
    # Taken before the account is locked: a change that comes after it ends this token at gateways, too.
    life, at = _refresh_life(services), utc_now()
    family_id, refresh_token = await services.transactions.write(
        lambda session: _open_session(session, user, life, origin)
    )
    return _token_pair(services, user, family_id, refresh_token, at=at)


async def check_password(services: AccountServices, email: str, password: str, origin: Origin) -> User:
    """Raises `WrongEmailOrPassword`, after the same work for an unknown user as for a wrong password.

    Raises a 429 problem after too many wrong ones, and `AccountDisabled` for the right one of a disabled
    account: only its owner learns of it.
    """
    async with throttle.password_check(services, email, origin):
        user = await services.transactions.read(lambda session: _find_user(session, email))
        is_right = await services.passwords.matches(password, user.password_hash if user else None)
        if user is None or not is_right:
            raise WrongEmailOrPassword
    if user.disabled_at is not None:
        raise AccountDisabled
    return user


def refresh(services: AccountServices, refresh_token: str, origin: Origin) -> TokenPair:
    """Raises `RefreshTokenInvalid` or `RefreshTokenReused`."""
    with services.database.transaction() as session:
        following = partial(access_tokens.successor, services.signing_keys)
        outcome = api_sessions.rotate(session, refresh_token, _refresh_life(services), following)
        if isinstance(outcome, api_sessions.Reused):
            audit_session(session, "session.reuse", outcome.user_id, outcome.family_id, origin)
        user = session.get(User, outcome.user_id) if outcome else None
    # Raised only now: the revocation above must be committed although the response is an error.
    if isinstance(outcome, api_sessions.Reused):
        raise RefreshTokenReused
    if outcome is None or user is None:
        raise RefreshTokenInvalid
    token_id = access_tokens.access_token_id(services.signing_keys, refresh_token, outcome.at)
    return _token_pair(
        services, user, outcome.family_id, outcome.refresh_token, at=outcome.at, token_id=token_id
    )


def log_out(services: AccountServices, refresh_token: str, origin: Origin) -> None:
    """End the session. An unknown token is no error: the caller wants it gone, and it is."""
    with services.database.transaction() as session:
        row = api_sessions.find(session, refresh_token)
        if row is not None and row.revoked_at is None:
            api_sessions.revoke_family(session, row.family_id)
            audit_session(session, "session.close", row.user_id, row.family_id, origin)


def _find_user(session: Session, email: str) -> User | None:
    named = select(User).where(User.email == schemas.normalize_or_keep(email))
    return session.scalars(named).one_or_none()


def _open_session(session: Session, user: User, life: timedelta, origin: Origin) -> tuple[str, str]:
    """Return the session's id and its first refresh token."""
    lock_unchanged(session, user)
    family_id, refresh_token = api_sessions.open_family(session, user.id, life)
    audit_session(session, "session.open", user.id, family_id, origin)
    return family_id, refresh_token


def _token_pair(
    services: AccountServices, user: User, family_id: str, refresh_token: str, **issued: Any
) -> TokenPair:
    """`issued`: as `access_tokens.issue` has it."""
    life = services.settings.access_token_seconds
    claims = AccessClaims(user.id, family_id, user.is_admin)
    return TokenPair(
        access_token=access_tokens.issue(services.signing_keys, claims, life, **issued),
        refresh_token=refresh_token,
        expires_in=life,
    )


def _refresh_life(services: AccountServices) -> timedelta:
    return timedelta(seconds=services.settings.refresh_token_seconds)


def lock_unchanged(session: Session, user: User) -> None:
    """Raises `WrongEmailOrPassword` for an account that is gone, disabled, or has another password by now."""
    # The password was checked outside this transaction; one changed since then must not open a session.
    unchanged = select(User.id).where(
        User.id == user.id, User.password_hash == user.password_hash, User.disabled_at.is_(None)
    )
    if session.scalars(unchanged.with_for_update(key_share=True)).one_or_none() is None:
        raise WrongEmailOrPassword


def audit_session(session: Session, action: str, user_id: str, family_id: str, origin: Origin) -> None:
    """Record `action` on the session, done by its user. `family_id`: of a browser session, its id."""
    actor = Principal(user_id, "", False, frozenset(), "session", family_id)
    audit.record(session, Caller(actor, origin), action, f"session:{family_id}")


# A page requests the next one by itself; what leaks of one is soon worth nothing.
_ACCESS_TOKEN_SECONDS = 300


def sign_in(
    services: AccountServices, user: User, browser: Browser, origin: Origin, old_token: str | None
) -> str:
    """Return the session's token for the cookie; the browser's session before it ends. Blocking.

    `user` has shown the password. Raises `WrongEmailOrPassword` if it was changed meanwhile.
    """
    with services.database.transaction() as session:
        lock_unchanged(session, user)
        if old_token and (before := web_sessions.find(session, old_token)):
            web_sessions.end(session, before[1].id, before[0].id)
        row, token = web_sessions.open_session(session, user.id, browser)
        audit_session(session, "session.open", user.id, row.id, origin)
    return token


def sign_out(services: AccountServices, principal: Principal, origin: Origin) -> None:
    """Blocking. A session that has ended already is no error: it is gone, as wanted."""
    with services.database.transaction() as session:
        if web_sessions.end(session, principal.user_id, principal.credential_id):
            audit_session(session, "session.close", principal.user_id, principal.credential_id, origin)


def issue_access_token(services: AccountServices, principal: Principal) -> tuple[str, int]:
    """A token for the page's own calls of the API, and its life in seconds. It dies with the session."""
    life = min(_ACCESS_TOKEN_SECONDS, services.settings.access_token_seconds)
    claims = AccessClaims(principal.user_id, principal.credential_id, principal.is_admin)
    return access_tokens.issue(services.signing_keys, claims, life), life


class SessionNotFound(Exception):
    """None such, ended already, or someone else's: the caller cannot know which."""


@dataclass(frozen=True)
class OwnSessions:
    browsers: Sequence[WebSession]
    api_logins: Sequence[ApiLogin]


def list_own(session: Session, owner: Principal) -> OwnSessions:
    """Return the owner's live sessions, the caller's own included; of each kind the last seen first."""
    return OwnSessions(
        web_sessions.list_alive(session, owner.user_id), api_sessions.list_alive(session, owner.user_id)
    )


def end(session: Session, owner: Principal, session_id: str, origin: Origin) -> None:
    """Raises `SessionNotFound`."""
    ended = web_sessions.end(session, owner.user_id, session_id)
    if not ended and not api_sessions.revoke_own(session, owner.user_id, session_id):
        raise SessionNotFound
    audit_session(session, "session.close", owner.user_id, session_id, origin)


def end_others(session: Session, owner: Principal, origin: Origin) -> None:
    """End all but the caller's session."""
    own = list_own(session, owner)
    ids = [browser.id for browser in own.browsers] + [login.id for login in own.api_logins]
    for session_id in ids:
        if session_id != owner.credential_id:
            end(session, owner, session_id, origin)
