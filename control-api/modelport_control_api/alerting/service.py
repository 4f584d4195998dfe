"""What users do with their webhooks: each change and its audit entry in one transaction."""

from datetime import datetime
from typing import Any

from modelport_http.wording import counted
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.tables import User
from modelport_control_api.alerting.errors import TooManyWebhooks, WebhookNotFound, WebhookOff
from modelport_control_api.alerting.webhook_schemas import NewWebhook, WebhookChange
from modelport_control_api.alerts import messages, signing, webhooks
from modelport_control_api.alerts.tables import DeliveryRow, WebhookRow
from modelport_control_api.http.principal import forbidden
from modelport_control_api.identity import Caller, Principal
from modelport_control_api.registry import service as models
from modelport_control_api.registry.errors import ModelNotFound

TEST = "webhook.test"


def create(session: Session, caller: Caller, wanted: NewWebhook, *, most: int) -> WebhookRow:
    """Raises ModelNotFound, TooManyWebhooks, and 403 for a key that would hear of more than it may."""
    principal = caller.principal
    _require_within(session, principal, wanted.model_id)
    _require_room(session, principal.user_id, most)
    row = WebhookRow(
        user_id=principal.user_id,
        model_id=wanted.model_id,
        url=wanted.url,
        events=wanted.events,
        description=wanted.description,
        secret=signing.new_secret(),
    )
    session.add(row)
    session.flush()
    detail = {"url": row.url, "events": row.events, "model": row.model_id}
    audit.record(session, caller, "webhook.create", f"webhook:{row.id}", detail)
    return row


def get(session: Session, principal: Principal, webhook_id: str, *, lock: bool = False) -> WebhookRow:
    """Raises WebhookNotFound."""
    row = webhooks.find(session, principal, webhook_id, lock=lock)
    if row is None:
        raise WebhookNotFound
    return row


def change(session: Session, caller: Caller, webhook_id: str, wanted: WebhookChange) -> WebhookRow:
    """What is not given stays. Raises WebhookNotFound."""
    row = get(session, caller.principal, webhook_id, lock=True)
    changes: dict[str, Any] = wanted.model_dump(exclude_none=True)
    if detail := audit.before_and_after(row, changes):
        for name, value in changes.items():
            setattr(row, name, value)
        audit.record(session, caller, "webhook.change", f"webhook:{row.id}", detail)
    return row


def delete(session: Session, caller: Caller, webhook_id: str) -> None:
    """With its messages, sent or not. Raises WebhookNotFound."""
    row = get(session, caller.principal, webhook_id, lock=True)
    audit.record(session, caller, "webhook.delete", f"webhook:{row.id}", {"url": row.url})
    session.delete(row)


def rotate(session: Session, caller: Caller, webhook_id: str, now: datetime) -> WebhookRow:
    """Give it another secret. Raises WebhookNotFound."""
    row = get(session, caller.principal, webhook_id, lock=True)
    webhooks.rotate(row, now)
    audit.record(session, caller, "webhook.rotate", f"webhook:{row.id}")
    return row


def send_test(session: Session, principal: Principal, webhook_id: str, now: datetime) -> DeliveryRow:
    """Have a message sent that is about nothing. Raises WebhookNotFound, WebhookOff."""
    row = get(session, principal, webhook_id)
    if not row.enabled:
        raise WebhookOff
    data = {"webhook_id": row.id, "model_id": row.model_id, "summary": "A test: nothing has happened."}
    text = messages.body(TEST, now, data)
    message = DeliveryRow(webhook_id=row.id, type=TEST, body=text, next_try_at=now)
    session.add(message)
    session.flush()
    return message


def _require_within(session: Session, principal: Principal, model_id: str | None) -> None:
    if model_id is None:
        if principal.model_ids is not None:
            raise forbidden("This API key is for some models only: name one of them as model_id.")
        return
    # Locked before the account, as by all that takes both.
    row = models.own_locked(session, principal, model_id)
    # What happens to a model is told to its owner, whoever may manage it.
    if row.owner_id != principal.user_id:
        raise ModelNotFound("The model is somebody else's, and only its owner hears of it.")


def _require_room(session: Session, user_id: str, most: int) -> None:
    # Held, so that two calls at once do not both find the last place free.
    session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if webhooks.count_of(session, user_id) >= most:
        raise TooManyWebhooks(f"You have {counted(most, 'webhook')}, the most allowed: delete one first.")
