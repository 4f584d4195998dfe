"""Webhooks of users: who wants to be sent what, where to, and signed with what."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from modelport_control_api.alerts import signing
from modelport_control_api.alerts.sending import Target
from modelport_control_api.alerts.tables import DeliveryRow, EventRow, WebhookRow
from modelport_control_api.alerts.types import EVENT_TYPES
from modelport_control_api.db.paging import Page, read_page
from modelport_control_api.db.session import Database
from modelport_control_api.identity import Principal

_FORMER_SIGNS_FOR = timedelta(hours=24)
_SUBJECTS = sorted({name.partition(".")[0] for name in EVENT_TYPES})
PATTERNS = frozenset({"*", *EVENT_TYPES, *(f"{subject}.*" for subject in _SUBJECTS)})
"""What may be asked for."""


def wanting(session: Session, event: EventRow) -> Sequence[WebhookRow]:
    """Return the webhooks that are sent the event: those of its user, of all models or of the event's."""
    query = select(WebhookRow).where(
        WebhookRow.user_id == event.user_id,
        or_(WebhookRow.model_id.is_(None), WebhookRow.model_id == event.model_id),
        WebhookRow.enabled,
        ~WebhookRow.suspended,
        WebhookRow.created_at <= event.created_at,
    )
    patterns = {"*", event.type, f"{event.type.partition('.')[0]}.*"}
    return [row for row in session.scalars(query) if not patterns.isdisjoint(row.events)]


def targets(session: Session, ids: Collection[str], now: datetime) -> dict[str, Target]:
    """Return where the messages of each go, and what signs them now."""
    rows = session.scalars(select(WebhookRow).where(WebhookRow.id.in_(ids)))
    return {row.id: Target(row.url, _secrets(row, now)) for row in rows}


def rotate(row: WebhookRow, now: datetime) -> str:
    """Return the new secret. For a day the former one signs too, so that receivers can change in between."""
    row.former_secret, row.former_until = row.secret, now + _FORMER_SIGNS_FOR
    row.secret = signing.new_secret()
    return row.secret


def turn_off(database: Database, webhook_id: str) -> None:
    """Send it nothing any more: it said that it is gone. Nothing where it is no webhook's id."""
    with database.transaction() as session:
        session.execute(update(WebhookRow).where(WebhookRow.id == webhook_id).values(enabled=False))


def suspend(session: Session, user_id: str, *, suspended: bool) -> None:
    """While an account is disabled, nothing is sent for it."""
    session.execute(update(WebhookRow).where(WebhookRow.user_id == user_id).values(suspended=suspended))


def forget_of_model(session: Session, model_id: str, user_id: str) -> None:
    """Remove the user's webhooks of a model that is somebody else's from now on."""
    of_both = (WebhookRow.model_id == model_id, WebhookRow.user_id == user_id)
    session.execute(delete(WebhookRow).where(*of_both))


def count_of(session: Session, user_id: str) -> int:
    """Return how many the user has."""
    mine = select(func.count()).select_from(WebhookRow).where(WebhookRow.user_id == user_id)
    return session.scalar(mine) or 0


def find(session: Session, principal: Principal, webhook_id: str, *, lock: bool = False) -> WebhookRow | None:
    """Return it, if it is the caller's and its credential may see it."""
    query = _own(principal).where(WebhookRow.id == webhook_id.replace("\0", ""))
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def list_page(
    session: Session, principal: Principal, limit: int, cursor: str | None, *, model_id: str | None = None
) -> Page[WebhookRow]:
    """The caller's own, newest first. Raises `CursorInvalid`."""
    query = _own(principal)
    if model_id is not None:
        query = query.where(WebhookRow.model_id == model_id.replace("\0", ""))
    return read_page(session, query, WebhookRow, limit, cursor)


def deliveries(session: Session, webhook_id: str, limit: int, cursor: str | None) -> Page[DeliveryRow]:
    """Its messages, newest first. Raises `CursorInvalid`."""
    query = select(DeliveryRow).where(DeliveryRow.webhook_id == webhook_id)
    return read_page(session, query, DeliveryRow, limit, cursor)


def _own(principal: Principal) -> Select[WebhookRow]:
    query = select(WebhookRow).where(WebhookRow.user_id == principal.user_id)
    if principal.model_ids is not None:
        query = query.where(WebhookRow.model_id.in_(principal.model_ids))
    return query


def _secrets(row: WebhookRow, now: datetime) -> list[str]:
    is_former_good = row.former_secret is not None and row.former_until is not None and row.former_until > now
    return [row.secret, row.former_secret] if is_former_good and row.former_secret else [row.secret]
