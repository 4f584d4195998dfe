"""From events to messages: one for each webhook that wants the event."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.alerts import webhooks
from modelport_control_api.alerts.tables import DeliveryRow, EventRow
from modelport_control_api.db.session import Database

_AT_ONCE = 100


def body(type_: str, at: datetime, data: Mapping[str, Any]) -> str:
    """As Standard Webhooks has it."""
    return json.dumps({"type": type_, "timestamp": at.isoformat(), "data": data})


def make_pending(database: Database, now: datetime) -> None:
    """Make the messages about events that have none yet. Blocking; any number of workers may do it at once.

    Not in the transaction of the fact: that would wait for webhooks that are being changed.
    """
    while _is_any_pending(database):
        with database.transaction() as session:
            query = select(EventRow).where(EventRow.pending).order_by(EventRow.created_at).limit(_AT_ONCE)
            for event in session.scalars(query.with_for_update(skip_locked=True)).all():
                _make(session, event, now)


def _is_any_pending(database: Database) -> bool:
    # Looked at every second: only what is found is worth SQLite's one lock for writers.
    with database.transaction(read_only=True) as session:
        return session.scalar(select(EventRow.id).where(EventRow.pending).limit(1)) is not None


def _make(session: Session, event: EventRow, now: datetime) -> None:
    text = body(event.type, event.created_at, event.data)
    for webhook in webhooks.wanting(session, event):
        message = DeliveryRow(
            webhook_id=webhook.id, event_id=event.id, type=event.type, body=text, next_try_at=now
        )
        session.add(message)
    event.pending = False
