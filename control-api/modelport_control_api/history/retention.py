"""The end of stored predictions: by age, as the model's owner wants it, and by number."""

import asyncio
from datetime import timedelta

import structlog
from modelport_process.background import every
from sqlalchemy import ColumnElement
from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database
from modelport_control_api.history import repository
from modelport_control_api.history.tables import KeptPrediction

log = structlog.get_logger(__name__)


class Retention:
    """Any number of control APIs may sweep at once."""

    def __init__(self, database: Database, *, max_rows: int, every_seconds: float) -> None:
        self._database = database
        self._max_rows = max_rows
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """Sweep until cancelled."""
        await every(
            self._every_seconds,
            self._sweep_and_log,
            failed="stored_predictions_not_removed",
            catches=SQLAlchemyError,
        )

    async def _sweep_and_log(self) -> None:
        if removed := await asyncio.to_thread(self.sweep):
            log.info("stored_predictions_removed", count=removed)

    def sweep(self) -> int:
        """Remove what is too old or too many; give how many went. Blocking."""
        with self._database.transaction(read_only=True) as session:
            retention = repository.retention_by_model(session)
        return sum(self._sweep_model(model_id, days) for model_id, days in retention.items())

    def _sweep_model(self, model_id: str, days: int) -> int:
        oldest_kept = utc_now() - timedelta(days=days)
        with self._database.transaction(read_only=True) as session:
            too_many = repository.newest_of_too_many(session, model_id, self._max_rows)
        removed = self._delete(model_id, KeptPrediction.created_at < oldest_kept)
        if too_many is not None:
            removed += self._delete(model_id, KeptPrediction.created_at <= too_many)
        return removed

    def _delete(self, model_id: str, condition: ColumnElement[bool]) -> int:
        """In slices: one large deletion would hold up all others."""
        removed = 0
        while True:
            with self._database.transaction() as session:
                gone = repository.delete_slice(session, model_id, condition)
            removed += gone
            if gone < repository.SLICE_ROWS:
                return removed
