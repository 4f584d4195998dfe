"""Removing what the ledger keeps no longer. In slices: nobody waits for a lock for long."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from modelport_control_api.db.session import Database
from modelport_control_api.settings import UsageSettings
from modelport_control_api.usage.tables import (
    AGE,
    RequestsOfDay,
    RequestsOfHour,
    RequestsOfMinute,
    TotalsOfDay,
    TotalsOfHour,
    TotalsOfMinute,
    UsageBatchRow,
)

_DAY = 86_400
_SLICE_ROWS = 5000
# Far longer than a gateway tries: what it sends again must still be known.
_BATCHES_KEPT = timedelta(days=7)


def remove_old(database: Database, settings: UsageSettings, now: float | None = None) -> int:
    """Return how many rows were removed. Blocking. Safe beside other replicas that do the same."""
    now = time.time() if now is None else now
    kept_days: list[tuple[Any, int]] = [
        (RequestsOfMinute, settings.usage_minute_retention_days),
        (TotalsOfMinute, settings.usage_minute_retention_days),
        (RequestsOfHour, settings.usage_hour_retention_days),
        (TotalsOfHour, settings.usage_hour_retention_days),
        (RequestsOfDay, settings.usage_day_retention_days),
        (TotalsOfDay, settings.usage_day_retention_days),
    ]
    removed = sum(_remove(database, table, AGE, int(now) - days * _DAY) for table, days in kept_days)
    oldest_batch = datetime.fromtimestamp(now, UTC) - _BATCHES_KEPT
    removed += _remove(database, UsageBatchRow, UsageBatchRow.received_at, oldest_batch)
    return removed


def _remove(database: Database, table: Any, age: Any, oldest: Any) -> int:
    removed = 0
    while True:
        with database.transaction() as session:
            rows = select(age).select_from(table).where(age < oldest).order_by(age)
            # Those of the same age as the slice's last row go with it: progress is certain.
            last = session.scalars(rows.offset(_SLICE_ROWS - 1).limit(1)).first()
            old = age < oldest if last is None else age <= last
            found: Any = session.execute(delete(table).where(old))
            removed += int(found.rowcount)
        if last is None:
            return removed
