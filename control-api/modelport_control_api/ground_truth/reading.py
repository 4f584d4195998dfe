"""Predictions beside what turned out to be true."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Select, and_, select
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
    query = _of_model(model_id).where(moment >= start, moment < end)
    if version is not None:
        query = query.where(ObservedPrediction.version == version)
    return _read(session, query.order_by(moment.desc() if newest_first else moment))


def units_before(session: Session, model_id: str, start: datetime, end: datetime) -> Iterator[Observation]:
    """Yield what was predicted for units from `start` to before `end`, the oldest first, and what had come of
    it by then."""
    moment = ObservedPrediction.at
    query = _of_model(model_id, told_before=end)
    query = query.where(moment >= start, moment < end, ObservedPrediction.unit != "")
    return _read(session, query.order_by(moment))


def newest_labelled(session: Session, model_id: str, version: str, limit: int) -> Iterator[Observation]:
    """Yield the version's newest predictions whose label is known, at most so many."""
    query = _of_model(model_id).where(ObservedPrediction.version == version, FeedbackRow.label.is_not(None))
    return _read(session, query.order_by(ObservedPrediction.at.desc()).limit(limit))


def _of_model(model_id: str, told_before: datetime | None = None) -> Select[*tuple[Any, ...]]:
    query = select(
        ObservedPrediction.version,
        ObservedPrediction.at,
        ObservedPrediction.unit,
        ObservedPrediction.prediction,
        ObservedPrediction.probabilities,
        FeedbackRow.label,
        FeedbackRow.reward,
    )
    joined = and_(
        FeedbackRow.model_id == ObservedPrediction.model_id,
        FeedbackRow.prediction_id == ObservedPrediction.prediction_id,
        FeedbackRow.row == ObservedPrediction.row,
        *([] if told_before is None else [FeedbackRow.at < told_before]),
    )
    return query.outerjoin(FeedbackRow, joined).where(ObservedPrediction.model_id == model_id)


def _read(session: Session, query: Select[*tuple[Any, ...]]) -> Iterator[Observation]:
    for version, at, unit, prediction, probabilities, label, reward in session.execute(
        query.execution_options(yield_per=_ROWS)
    ):
        yield Observation(
            version, at, unit, orjson.loads(prediction), _loaded(probabilities), _loaded(label), reward
        )


def _loaded(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
