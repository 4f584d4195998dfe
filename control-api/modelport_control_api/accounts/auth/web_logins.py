"""Signing browsers in and out."""

from modelport_control_api.accounts.auth.logins import audit_session, lock_unchanged
from modelport_control_api.accounts.sessions import access_tokens, web_sessions
from modelport_control_api.accounts.sessions.access_tokens import AccessClaims
from modelport_control_api.accounts.sessions.web_sessions import Browser
from modelport_control_api.accounts.tables import User
from modelport_control_api.accounts.wiring import AccountServices
from modelport_control_api.identity.origin import Origin
from modelport_control_api.identity.principal import Principal

# A page asks for the next one by itself; what leaks of one is soon worth nothing.
_ACCESS_TOKEN_SECONDS = 300


def sign_in(
    services: AccountServices, user: User, browser: Browser, origin: Origin, old_token: str | None
) -> str:
    """Give the session's token for the cookie; the browser's session before it ends. Blocking.

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
