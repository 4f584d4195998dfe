"""From a credential to its principal."""

from sqlalchemy.orm import Session

from modelport_control_api.accounts.api_keys import repository as api_keys
from modelport_control_api.accounts.sessions import access_tokens, api_sessions, web_sessions
from modelport_control_api.accounts.tables import User
from modelport_control_api.accounts.wiring import AccountServices
from modelport_control_api.identity import SCOPES, Principal


def authenticate(services: AccountServices, credential: str) -> Principal | None:
    """None: unknown, altered, expired or revoked, or its user is disabled; which is nobody's business."""
    if credential.startswith(api_keys.PREFIX):
        return _by_api_key(services, credential)
    return _by_access_token(services, credential)


def _by_api_key(services: AccountServices, credential: str) -> Principal | None:
    with services.database.transaction(read_only=True) as session:
        found = api_keys.find_active(session, api_keys.sha256(credential))
    if found is None:
        return None
    key, user = found
    if api_keys.is_use_stale(key):
        with services.database.transaction() as session:
            api_keys.touch(session, key.id)
    models = None if key.model_ids is None else frozenset(key.model_ids)
    return Principal(user.id, user.email, user.is_admin, frozenset(key.scopes), "api_key", key.id, models)


def _by_access_token(services: AccountServices, credential: str) -> Principal | None:
    try:
        claims = access_tokens.verify(services.signing_keys, credential)
    except access_tokens.AccessTokenInvalid:
        return None
    with services.database.transaction(read_only=True) as session:
        user = _user_of_live_session(session, claims)
    if user is None:
        return None
    return Principal(user.id, user.email, user.is_admin, frozenset(SCOPES), "session", claims.session_id)


def _user_of_live_session(session: Session, claims: access_tokens.AccessClaims) -> User | None:
    alive = (api_sessions.is_alive, web_sessions.is_alive)
    if not any(is_alive(session, claims.session_id) for is_alive in alive):
        return None
    user = session.get(User, claims.user_id)
    return None if user is None or user.disabled_at else user
