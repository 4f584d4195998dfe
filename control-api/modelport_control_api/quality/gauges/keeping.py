"""In the background: computes the quality of the last days of each model with feedback, for Prometheus."""

import asyncio
import time
from datetime import timedelta

from modelport_process.background import every
from sqlalchemy import Select, delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from modelport_control_api.analytics.query import Query
from modelport_control_api.db.base import utc_now
from modelport_control_api.quality import service
from modelport_control_api.quality.gauges.tables import QualityGaugesRow
from modelport_control_api.quality.schemas import QualityAnswer
from modelport_control_api.quality.wiring import QualityServices
from modelport_control_api.registry.tables import ModelRow

DAYS = 7
_EVERY_SECONDS = 300.0
# Computing takes at most one in so many seconds, however many rows there are.
_IDLE_SHARE = 20
# By another control API, not long ago.
_FRESH = timedelta(seconds=0.9 * _EVERY_SECONDS)
_OF_A_VERSION = {"version", "predictions", "labels", "metrics", "expected"}


class QualityGauges:
    """Any number of control APIs may do it: each leaves alone what another one has just done."""

    def __init__(self, services: QualityServices) -> None:
        self._services = services
        self._transactions = services.models.transactions

    async def run(self) -> None:
        """Compute until cancelled."""
        # Not while the platform starts: it imports scikit-learn.
        await every(
            _EVERY_SECONDS,
            self.look,
            failed="quality_gauges_not_kept",
            catches=SQLAlchemyError,
            at_once=False,
        )

    async def look(self) -> None:
        """Do it once, for the models whose gauges are old."""
        await self._transactions.write(_forget_others)
        for model_id in await self._transactions.read(_old):
            started = time.monotonic()
            await self.keep(model_id)
            await asyncio.sleep(_IDLE_SHARE * (time.monotonic() - started))

    async def keep(self, model_id: str) -> None:
        """Compute and keep what one model's gauges show."""
        query = Query(from_=utc_now() - timedelta(days=DAYS), bucket="day")
        found = await service.quality_of(self._services, model_id, query)
        await self._transactions.write(lambda session: _write(session, found))


def _watched() -> Select[str]:
    return select(ModelRow.id).where(ModelRow.feedback_percent.is_not(None))


def _forget_others(session: Session) -> None:
    session.execute(delete(QualityGaugesRow).where(QualityGaugesRow.model_id.not_in(_watched())))


def _old(session: Session) -> list[str]:
    fresh = select(QualityGaugesRow.model_id).where(QualityGaugesRow.computed_at > utc_now() - _FRESH)
    return list(session.scalars(_watched().where(ModelRow.id.not_in(fresh)).order_by(ModelRow.id)))


def _write(session: Session, found: QualityAnswer) -> None:
    # It may have been deleted meanwhile.
    if session.get(ModelRow, found.model) is None:
        return
    versions = [each.model_dump(mode="json", include=_OF_A_VERSION) for each in found.versions]
    session.merge(QualityGaugesRow(model_id=found.model, versions=versions, computed_at=utc_now()))
