"""Predictions beside what turned out to be true."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from modelport_control_api.ground_truth.tables import FeedbackRow, ObservedPrediction

_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Observation:
    """One predicted row. `label` and `reward` None: they are not known. `unit`: as the table has it."""

    version: str
    at: datetime
    unit: str
    prediction: Any
    probabilities: dict[str, float] | None
    label: Any
    reward: float | None


def observations(
    session: Session,
    model_id: str,
    start: datetime,
    end: datetime,
    *,
    version: str | None = None,
    newest_first: bool = False,
) -> Iterator[Observation]:
    """Yield all that was predicted from `start` to before `end`, the oldest first. version: only its own."""
    moment = ObservedPrediction.at
    query = (
        select(
            ObservedPrediction.version,
            ObservedPrediction.at,
            ObservedPrediction.unit,
            ObservedPrediction.prediction,
            ObservedPrediction.probabilities,
            FeedbackRow.label,
            FeedbackRow.reward,
        )
        .outerjoin(
            FeedbackRow,
            and_(
                FeedbackRow.model_id == ObservedPrediction.model_id,
                FeedbackRow.prediction_id == ObservedPrediction.prediction_id,
                FeedbackRow.row == ObservedPrediction.row,
            ),
        )
        .where(
            ObservedPrediction.model_id == model_id,
            moment >= start,
            moment < end,
        )
        .order_by(moment.desc() if newest_first else moment)
        .execution_options(yield_per=_ROWS)
    )
    if version is not None:
        query = query.where(ObservedPrediction.version == version)
    for name, at, unit, prediction, probabilities, label, reward in session.execute(query):
        yield Observation(
            name, at, unit, orjson.loads(prediction), _loaded(probabilities), _loaded(label), reward
        )


def _loaded(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
