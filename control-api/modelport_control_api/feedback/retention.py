"""The end of predictions and of what was told of them: by age, as the model's owner wants it."""

import asyncio
from datetime import timedelta
from typing import Any

import structlog
from modelport_process.background import every
from sqlalchemy import ColumnElement, and_, delete, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database
from modelport_control_api.ground_truth.tables import FeedbackRow, ObservedPrediction
from modelport_control_api.registry.tables import ModelRow

log = structlog.get_logger(__name__)

_SLICE_ROWS = 1000


class FeedbackRetention:
    """Any number of control APIs may sweep at once."""

    def __init__(self, database: Database, *, every_seconds: float) -> None:
        self._database = database
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """Sweep until cancelled."""
        await every(
            self._every_seconds,
            self._sweep_and_log,
            failed="observed_predictions_not_removed",
            catches=SQLAlchemyError,
        )

    async def _sweep_and_log(self) -> None:
        if removed := await asyncio.to_thread(self.sweep):
            log.info("observed_predictions_removed", count=removed)

    def sweep(self) -> int:
        """Remove what is too old, and what is of no model any more; give how many rows went. Blocking."""
        return sum(self._sweep_table(table) for table in (ObservedPrediction, FeedbackRow))

    def _sweep_table(self, table: Any) -> int:
        with self._database.transaction(read_only=True) as session:
            found = session.execute(select(ModelRow.id, ModelRow.feedback_retention_days))
            days = {row.id: row.feedback_retention_days for row in found}
            kept = session.scalars(select(table.model_id).distinct()).all()
        now = utc_now()
        removed = 0
        for model_id in kept:
            too_old = table.at < now - timedelta(days=days[model_id]) if model_id in days else None
            removed += self._delete(table, model_id, too_old)
        return removed

    def _delete(self, table: Any, model_id: str, condition: ColumnElement[bool] | None) -> int:
        """In slices: one large deletion would hold up all others."""
        key = tuple_(table.model_id, table.prediction_id, table.row)
        wanted = table.model_id == model_id
        if condition is not None:
            wanted = and_(wanted, condition)
        removed = 0
        while True:
            with self._database.transaction() as session:
                rows = session.execute(
                    select(table.model_id, table.prediction_id, table.row).where(wanted).limit(_SLICE_ROWS)
                ).all()
                if rows:
                    session.execute(delete(table).where(key.in_([tuple(row) for row in rows])))
            removed += len(rows)
            if len(rows) < _SLICE_ROWS:
                return removed
