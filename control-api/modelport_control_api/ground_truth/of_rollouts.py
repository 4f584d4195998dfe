"""How often both versions of a rollout were right, of those of its callers' rows whose truth is known."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
from modelport_evidence import counters
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from modelport_control_api.ground_truth.classes import is_right
from modelport_control_api.ground_truth.tables import FeedbackRow, ObservedPrediction


def counts(session: Session, model_id: str, rollout: int) -> Mapping[str, Mapping[str, int]]:
    """Return step → counter → count; a correction moves a row from one counter to another.

    Of a request one row, as rows of one are alike. Of numbers no row: none is right or wrong.
    """
    found: dict[str, Counter[str]] = {}
    for arm, prediction, label, rows in session.execute(_query(model_id, rollout)):
        predicted = orjson.loads(prediction)
        if isinstance(predicted, float):
            continue
        _, step, side = arm.split(":")
        of_step = found.setdefault(step, Counter())
        of_step[counters.known_rows(side)] += rows
        if not is_right(predicted, orjson.loads(label)):
            of_step[counters.wrong_rows(side)] += rows
    return found


def _query(model_id: str, rollout: int) -> Any:
    kept, told = ObservedPrediction, FeedbackRow
    same_row = and_(
        told.model_id == kept.model_id, told.prediction_id == kept.prediction_id, told.row == kept.row
    )
    key = (kept.arm, kept.prediction, told.label)
    # `;` is what comes after `:`: all arms of the rollout, as a range of the index.
    of_rollout = and_(kept.model_id == model_id, kept.arm >= f"{rollout}:", kept.arm < f"{rollout};")
    return (
        select(*key, func.count())
        .join(told, same_row)
        .where(of_rollout, kept.row == 0, told.label.is_not(None))
        .group_by(*key)
    )
