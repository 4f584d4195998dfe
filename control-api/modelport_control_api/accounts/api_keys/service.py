"""What users do with their keys. A key of someone else does not exist here."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from modelport_crds.reasons import Reason
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.api_keys import repository
from modelport_control_api.accounts.api_keys.schemas import KeyOut, KeyWithSecret, NewKey
from modelport_control_api.accounts.errors import AccountGone
from modelport_control_api.accounts.tables import ApiKey, User
from modelport_control_api.db.base import new_id, utc_now
from modelport_control_api.db.paging import Page, read_page
from modelport_control_api.errors import DomainError
from modelport_control_api.identity import Caller, Origin, Principal


class ApiKeyNotFound(DomainError):
    """None such, or someone else's: the caller cannot know which."""

    status = 404
    message = "No such API key: list yours with GET /api/v1/api-keys."


class ApiKeyExpired(DomainError):
    status = 409
    message = "The API key has expired and cannot be rotated: make a new one."


class ApiKeyLimitReached(DomainError):
    status = 409
    reason = Reason.API_KEY_LIMIT_REACHED

    def __init__(self, held: int, most: int) -> None:
        super().__init__(
            f"The account holds {held} of the {most} API keys that it may; those that have expired do not "
            "count. Revoke keys that nobody uses, or ask an administrator of the platform for more."
        )


def create(
    session: Session, owner: Principal, body: NewKey, origin: Origin, *, most: int | None = None
) -> KeyWithSecret:
    """`most`: keys that the owner may hold, this one among them. Raises `ApiKeyLimitReached`."""
    if most is not None:
        _require_room(session, owner.user_id, most)
    plain = repository.new_key()
    key = ApiKey(
        id=new_id(),
        user_id=owner.user_id,
        name=body.name,
        key_sha256=repository.sha256(plain),
        prefix=repository.shown_prefix(plain),
        scopes=list(body.scopes),
        model_ids=body.model_ids,
        expires_at=body.expires_at,
    )
    session.add(key)
    session.flush()
    _audit(session, owner, "api_key.create", key, origin)
    return _with_secret(key, plain)


def list_page(session: Session, owner: Principal, limit: int, cursor: str | None) -> Page[ApiKey]:
    """Return the owner's keys, expired ones too, newest first. Raises `CursorInvalid`."""
    return read_page(session, select(ApiKey).where(ApiKey.user_id == owner.user_id), ApiKey, limit, cursor)


def rotate(
    session: Session, owner: Principal, key_id: str, grace: timedelta, origin: Origin
) -> KeyWithSecret:
    """Replace the key by a new one under the same id. Raises `ApiKeyNotFound` or `ApiKeyExpired`."""
    key = _find(session, owner, key_id)
    if key.expires_at and key.expires_at <= utc_now():
        raise ApiKeyExpired
    plain, former = repository.new_key(), key.prefix
    key.previous_sha256, key.previous_expires_at = key.key_sha256, utc_now() + grace
    key.key_sha256, key.prefix = repository.sha256(plain), repository.shown_prefix(plain)
    session.flush()
    _audit(session, owner, "api_key.rotate", key, origin, before={"prefix": former})
    return _with_secret(key, plain)


def delete(session: Session, owner: Principal, key_id: str, origin: Origin) -> None:
    """Raises `ApiKeyNotFound`."""
    key = _find(session, owner, key_id)
    _audit(session, owner, "api_key.delete", key, origin)
    session.delete(key)


def delete_all(session: Session, owner: Principal, origin: Origin) -> None:
    """Delete every key of the owner, expired ones too, with an audit entry for each."""
    for key in session.scalars(select(ApiKey).where(ApiKey.user_id == owner.user_id)):
        _audit(session, owner, "api_key.delete", key, origin)
        session.delete(key)


def _require_room(session: Session, user_id: str, most: int) -> None:
    # Locked: of two keys made at once only one may be the last.
    if session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True) is None:
        raise AccountGone
    held = repository.count_unexpired(session, user_id)
    if held >= most:
        raise ApiKeyLimitReached(held, most)


def _find(session: Session, owner: Principal, key_id: str) -> ApiKey:
    # Locked: two rotations at once must not both believe that theirs is the key.
    mine = (
        select(ApiKey)
        .where(ApiKey.id == _canonical(key_id), ApiKey.user_id == owner.user_id)
        .with_for_update()
    )
    key = session.scalars(mine).one_or_none()
    if key is None:
        raise ApiKeyNotFound
    return key


def _canonical(key_id: str) -> str:
    """What cannot be an id is found nowhere; it never reaches the database."""
    try:
        return str(UUID(key_id))
    except ValueError as error:
        raise ApiKeyNotFound from error


def _with_secret(key: ApiKey, plain: str) -> KeyWithSecret:
    return KeyWithSecret(**KeyOut.model_validate(key).model_dump(), key=plain)


def _audit(
    session: Session, actor: Principal, action: str, key: ApiKey, origin: Origin, **changed: Any
) -> None:
    detail = {"name": key.name, "prefix": key.prefix, "scopes": key.scopes, **changed}
    audit.record(session, Caller(actor, origin), action, f"api_key:{key.id}", detail)
