"""In the background: looks at each model with feedback, and tells on which days its versions fell."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, timedelta
from itertools import islice

from modelport_evidence.means import Sums
from modelport_process.background import every
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from modelport_control_api.alerts import events
from modelport_control_api.alerts.events import Fact, Subject
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database
from modelport_control_api.ground_truth.reading import Observation, observations
from modelport_control_api.ground_truth.values import values_of
from modelport_control_api.quality.falls.finding import Fall, falls_of
from modelport_control_api.quality.rounds import EVERY_SECONDS, one_by_one, with_feedback
from modelport_control_api.registry.tables import ModelRow

_DAYS = timedelta(days=30)
_MOST_ROWS = 500_000
"""Of a model, the newest."""

_Days = Mapping[date, Sums]
_Key = tuple[str, str]
"""Version and metric."""


class QualityWatch:
    """Any number of control APIs may do it: a fall has its key, and is told once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Look until cancelled."""
        await every(EVERY_SECONDS, self._look, failed="quality_not_watched", catches=SQLAlchemyError)

    async def _look(self) -> None:
        watched = await asyncio.to_thread(self._watched)
        await one_by_one(watched, lambda model_id: asyncio.to_thread(self.look_at, model_id))

    def _watched(self) -> list[str]:
        with self._database.transaction(read_only=True) as session:
            return list(session.scalars(with_feedback().order_by(ModelRow.id)))

    def look_at(self, model_id: str) -> None:
        """Tell of one model what was not told yet. Blocking."""
        with self._database.transaction(read_only=True) as session:
            found = _days_of(session, model_id)
        falls = [
            (version, fall) for (version, metric), days in found.items() for fall in falls_of(metric, days)
        ]
        if falls:
            with self._database.transaction() as session:
                _tell(session, model_id, falls)


def _days_of(session: Session, model_id: str) -> Mapping[_Key, _Days]:
    """By the day on which it was predicted: when the label came says nothing of the model."""
    now = utc_now()
    rows = observations(session, model_id, now - _DAYS, now, newest_first=True)
    values: dict[_Key, dict[date, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in islice(rows, _MOST_ROWS):
        metric = _metric_of(row)
        value = values_of(row, frozenset({metric})).get(metric)
        if value is not None:
            values[row.version, metric][row.at.astimezone(UTC).date()].append(value)
    return {key: {day: Sums.of(each) for day, each in days.items()} for key, days in values.items()}


def _metric_of(row: Observation) -> str:
    """Classes are texts, booleans or whole numbers."""
    return "mae" if isinstance(row.prediction, float) else "accuracy"


def _tell(session: Session, model_id: str, falls: list[tuple[str, Fall]]) -> None:
    model = session.get(ModelRow, model_id)
    if model is None:
        return
    for version, fall in falls:
        fact = Fact(
            type="quality.fell",
            key=f"{version}:{fall.day}",
            summary=fall.summary(version),
            version=version,
            more={
                "metric": fall.metric,
                "day": fall.day.isoformat(),
                "before": fall.before,
                "now": fall.now,
                "change": [fall.lower, fall.upper],
                "labels": fall.labels,
            },
        )
        events.record(session, Subject(model.owner_id, model.id, model.name), fact)
