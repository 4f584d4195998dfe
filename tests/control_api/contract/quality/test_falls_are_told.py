"""A version that fell is told of once, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from modelport_control_api.accounts.tables import User
from modelport_control_api.alerts.tables import EventRow
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database
from modelport_control_api.ground_truth import writing
from modelport_control_api.quality.falls.watching import QualityWatch
from modelport_control_api.registry.tables import ModelRow
from sqlalchemy import select


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    with opened.transaction() as session:
        session.add(User(id="ann", email="ann@example.com", password_hash="-", full_name="Ann"))
        session.flush()
        session.add(ModelRow(id="iris-1", owner_id="ann", name="Iris", traffic={}, feedback_percent=100))
    yield opened
    opened.close()


def tell_day(database: Database, *, days_ago: int, rows: int, wrong: int, version: str = "v1") -> None:
    """So many rows of that day, with their labels."""
    at = utc_now() - timedelta(days=days_ago)
    predictions: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    for number in range(rows):
        key = {"model_id": "iris-1", "prediction_id": f"{version}-{days_ago}-{number}", "row": 0}
        label = orjson.dumps("b" if number < wrong else "a").decode()
        predictions.append(
            {
                **key,
                "version": version,
                "at": at,
                "unit": "",
                "arm": "",
                "prediction": '"a"',
                "probabilities": None,
            }
        )
        labels.append({**key, "label": label, "reward": None, "at": at, "received_at": at})
    with database.transaction() as session:
        writing.write_predictions(session, predictions)
        writing.write_feedback(session, labels)


def told(database: Database) -> list[EventRow]:
    with database.transaction(read_only=True) as session:
        found = list(session.scalars(select(EventRow)))
        session.expunge_all()
    return found


def test_it_is_told_once_and_of_the_version_alone(database: Database) -> None:
    for days_ago in (4, 3, 2):
        tell_day(database, days_ago=days_ago, rows=300, wrong=15)
        tell_day(database, days_ago=days_ago, rows=300, wrong=15, version="v2")
    tell_day(database, days_ago=1, rows=300, wrong=120)
    tell_day(database, days_ago=1, rows=300, wrong=17, version="v2")
    for _ in range(2):
        QualityWatch(database).look_at("iris-1")
    [event] = told(database)
    assert (event.type, event.user_id, event.data["version"], event.data["metric"]) == (
        "quality.fell", "ann", "v1", "accuracy",
    )  # fmt: skip
    assert (event.data["before"], event.data["now"], event.data["labels"]) == (0.95, 0.6, 300)
    assert event.data["summary"].startswith("v1 was right about 60 % of 300 rows of ")


def test_a_model_that_is_gone_is_told_of_no_more(database: Database) -> None:
    for days_ago, wrong in ((3, 15), (1, 150)):
        tell_day(database, days_ago=days_ago, rows=300, wrong=wrong)
    with database.transaction() as session:
        session.delete(session.get(ModelRow, "iris-1"))
    QualityWatch(database).look_at("iris-1")
    assert told(database) == []
