"""In the background: computes the quality of the last days of each model with feedback, for Prometheus."""

from datetime import timedelta

from modelport_process.background import every
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from modelport_control_api.analytics.query import Query
from modelport_control_api.db.base import utc_now
from modelport_control_api.quality import service
from modelport_control_api.quality.gauges.tables import QualityGaugesRow
from modelport_control_api.quality.rounds import EVERY_SECONDS, one_by_one, with_feedback
from modelport_control_api.quality.schemas import QualityAnswer
from modelport_control_api.quality.wiring import QualityServices
from modelport_control_api.registry.tables import ModelRow

DAYS = 7
# By another control API, not long ago.
_FRESH = timedelta(seconds=0.9 * EVERY_SECONDS)
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
            EVERY_SECONDS,
            self.look,
            failed="quality_gauges_not_kept",
            catches=SQLAlchemyError,
            at_once=False,
        )

    async def look(self) -> None:
        """Do it once, for the models whose gauges are old."""
        await self._transactions.write(_forget_others)
        await one_by_one(await self._transactions.read(_old), self.keep)

    async def keep(self, model_id: str) -> None:
        """Compute and keep what one model's gauges show."""
        query = Query(from_=utc_now() - timedelta(days=DAYS), bucket="day")
        found = await service.quality_of(self._services, model_id, query)
        await self._transactions.write(lambda session: _write(session, found))


def _forget_others(session: Session) -> None:
    session.execute(delete(QualityGaugesRow).where(QualityGaugesRow.model_id.not_in(with_feedback())))


def _old(session: Session) -> list[str]:
    fresh = select(QualityGaugesRow.model_id).where(QualityGaugesRow.computed_at > utc_now() - _FRESH)
    return list(session.scalars(with_feedback().where(ModelRow.id.not_in(fresh)).order_by(ModelRow.id)))


def _write(session: Session, found: QualityAnswer) -> None:
    # It may have been deleted meanwhile.
    if session.get(ModelRow, found.model) is None:
        return
    versions = [each.model_dump(mode="json", include=_OF_A_VERSION) for each in found.versions]
    session.merge(QualityGaugesRow(model_id=found.model, versions=versions, computed_at=utc_now()))
