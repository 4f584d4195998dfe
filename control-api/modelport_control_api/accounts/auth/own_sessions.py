"""Where somebody is signed in, by browser and by program, and ending any of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from modelport_control_api.accounts.auth.logins import audit_session
from modelport_control_api.accounts.sessions import api_sessions, web_sessions
from modelport_control_api.accounts.sessions.api_sessions import ApiLogin
from modelport_control_api.accounts.tables import WebSession
from modelport_control_api.identity.origin import Origin
from modelport_control_api.identity.principal import Principal


class SessionNotFound(Exception):
    """None such, ended already, or someone else's: the caller cannot tell which."""


@dataclass(frozen=True)
class OwnSessions:
    browsers: Sequence[WebSession]
    api_logins: Sequence[ApiLogin]


def list_own(session: Session, owner: Principal) -> OwnSessions:
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
    """End all but the session that asks."""
    own = list_own(session, owner)
    ids = [browser.id for browser in own.browsers] + [login.id for login in own.api_logins]
    for session_id in ids:
        if session_id != owner.credential_id:
            end(session, owner, session_id, origin)
