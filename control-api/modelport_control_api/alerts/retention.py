"""The end of events and of messages, by age. In slices: nobody waits for a lock for long."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select

from modelport_control_api.alerts.tables import DeliveryRow, EventRow
from modelport_control_api.db.session import Database

log = structlog.get_logger(__name__)
_SLICE_ROWS = 500


def remove_old(database: Database, now: datetime, retention: timedelta) -> int:
    """Remove some of what came before that; give how many rows went. Blocking."""
    before = now - retention
    # A job's message goes with its job.
    old_messages = (DeliveryRow.created_at < before, DeliveryRow.webhook_id.is_not(None))
    removed = _remove(database, DeliveryRow, *old_messages)
    removed += _remove(database, EventRow, EventRow.created_at < before)
    if removed:
        log.info("old_events_removed", rows=removed)
    return removed


def _remove(database: Database, table: Any, *old: Any) -> int:
    with database.transaction(read_only=True) as session:
        ids = list(session.scalars(select(table.id).where(*old).limit(_SLICE_ROWS)))
    if ids:
        with database.transaction() as session:
            session.execute(delete(table).where(table.id.in_(ids)))
    return len(ids)
