"""Writing rows of both tables: however often and in whatever order they come, the same rows are there."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete
from sqlalchemy.orm import Session

from modelport_control_api.db import statements
from modelport_control_api.ground_truth.tables import FeedbackRow, ObservedPrediction

Row = Mapping[str, Any]
"""Columns by their names."""

_KEY = ("model_id", "prediction_id", "row")


def write_predictions(session: Session, rows: Iterable[Row]) -> None:
    """Of one key the latest `at` stays."""
    table = ObservedPrediction.__table__
    _upsert(session, table, rows, lambda new: new["at"] > table.c.at)


def write_feedback(session: Session, rows: Iterable[Row]) -> None:
    """Of one key the latest `at` stays, and of equal ones the one that is written last."""
    table = FeedbackRow.__table__
    _upsert(session, table, rows, lambda new: new["at"] >= table.c.at)


def forget(session: Session, model_id: str) -> None:
    """Delete all of a model."""
    for table in (ObservedPrediction, FeedbackRow):
        session.execute(delete(table).where(table.model_id == model_id))


def _upsert(
    session: Session, table: Any, rows: Iterable[Row], replaces: Callable[[Any], ColumnElement[bool]]
) -> None:
    insert = statements.insert(session, table)
    others = [column.name for column in table.columns if column.name not in _KEY]
    statement = insert.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={name: insert.excluded[name] for name in others},
        where=replaces(insert.excluded),
    )
    for some in statements.slices(_last_of_each(rows)):
        session.execute(statement, some)


def _last_of_each(rows: Iterable[Row]) -> list[Row]:
    """In the order of their keys, so that two writers never wait for each other."""
    latest: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in _KEY)
        known = latest.get(key)
        if known is None or row["at"] >= known["at"]:
            latest[key] = row
    return [latest[key] for key in sorted(latest)]
