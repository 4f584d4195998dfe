"""Predictions and what turned out to be true: the same rows, in whatever order and number they come."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest
from modelport_control_api.db.session import Database
from modelport_control_api.ground_truth import of_rollouts, reading, writing
from modelport_control_api.ground_truth.reading import Observation

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def predicted(id_: str, prediction: object, *, minute: int = 0, row: int = 0, **other: Any) -> dict[str, Any]:
    columns = {
        "model_id": "iris-1", "prediction_id": id_, "row": row, "version": "v1", "unit": "", "arm": "",
        "at": START + timedelta(minutes=minute), "prediction": orjson.dumps(prediction).decode(),
        "probabilities": None,
    }  # fmt: skip
    return columns | other


def truth(id_: str, label: object, *, minute: int = 0, row: int = 0, **other: Any) -> dict[str, Any]:
    columns = {
        "model_id": "iris-1", "prediction_id": id_, "row": row, "label": orjson.dumps(label).decode(),
        "reward": None, "at": START + timedelta(minutes=minute), "received_at": START,
    }  # fmt: skip
    return columns | other


def read(database: Database, model_id: str = "iris-1") -> list[Observation]:
    with database.transaction() as session:
        return list(reading.observations(session, model_id, START, START + DAY))


def test_a_label_joins_its_row_whichever_comes_first(database: Database) -> None:
    with database.transaction() as session:
        writing.write_feedback(session, [truth("a", "setosa"), truth("b", 2, row=1)])
    with database.transaction() as session:
        writing.write_predictions(
            session,
            [
                predicted("a", "virginica", probabilities='{"setosa":0.4,"virginica":0.6}', unit="u1"),
                predicted("b", 3, minute=1, row=1),
                predicted("c", True, minute=2),
            ],
        )
    assert read(database) == [
        Observation("v1", START, "u1", "virginica", {"setosa": 0.4, "virginica": 0.6}, "setosa", None),
        Observation("v1", START + timedelta(minutes=1), "", 3, None, 2, None),
        Observation("v1", START + timedelta(minutes=2), "", True, None, None, None),
    ]
    assert read(database, "other") == []


def test_in_any_order_and_doubled_the_last_correction_counts(database: Database) -> None:
    corrections = [truth(f"id{n}", n * 100 + minute, minute=minute) for n in range(50) for minute in range(4)]
    predictions = [predicted(f"id{n}", n) for n in range(50)]
    shuffled = corrections + corrections[:60]
    Random(7).shuffle(shuffled)
    for begin in range(0, len(shuffled), 13):
        with database.transaction() as session:
            writing.write_feedback(session, shuffled[begin : begin + 13])
    for _ in range(2):
        with database.transaction() as session:
            writing.write_predictions(session, predictions)
    assert sorted(each.label for each in read(database)) == [n * 100 + 3 for n in range(50)]


def test_of_two_at_the_same_time_the_last_one_written_counts(database: Database) -> None:
    for label in ("first", "second"):
        with database.transaction() as session:
            writing.write_feedback(session, [truth("a", label)])
    with database.transaction() as session:
        writing.write_feedback(session, [truth("b", 1), truth("b", 2)])
        writing.write_predictions(session, [predicted("a", "x"), predicted("b", "x", minute=1)])
    assert [each.label for each in read(database)] == ["second", 2]


def test_an_id_that_is_used_again_stands_for_its_latest_prediction(database: Database) -> None:
    for rows in ([predicted("a", 2, minute=5, version="v2")], [predicted("a", 1, minute=3)]):
        with database.transaction() as session:
            writing.write_predictions(session, rows)
    assert [(each.version, each.prediction) for each in read(database)] == [("v2", 2)]


def test_all_of_a_model_is_forgotten(database: Database) -> None:
    with database.transaction() as session:
        writing.write_predictions(session, [predicted("a", 1), predicted("a", 1, model_id="other")])
        writing.write_feedback(session, [truth("a", 1), truth("a", 1, model_id="other")])
    with database.transaction() as session:
        writing.forget(session, "iris-1")
    assert read(database) == []
    assert len(read(database, "other")) == 1


def test_of_a_rollout_right_and_wrong_rows_are_counted_by_step_and_side(database: Database) -> None:
    kept = [
        predicted("a", 1, arm="3:5:candidate"),
        predicted("a", 2, row=1, arm="3:5:candidate"),
        predicted("b", 1, arm="3:5:candidate"),
        predicted("c", "x", arm="3:5:baseline"),
        predicted("d", "x", arm="3:50:baseline"),
        predicted("not known yet", "x", arm="3:50:baseline"),
        predicted("e", "x", arm="30:5:candidate"),
        predicted("f", 0.5, arm="3:5:candidate"),
        predicted("g", "x"),
    ]
    told = {"a": "1.0", "b": 2, "c": "x", "d": "y", "e": "y", "f": 1, "g": "y"}
    with database.transaction() as session:
        writing.write_predictions(session, kept)
        writing.write_feedback(session, [truth(id_, label) for id_, label in told.items()])
    with database.transaction() as session:
        found = of_rollouts.counts(session, "iris-1", 3)
        assert of_rollouts.counts(session, "iris-1", 4) == {}
    assert found == {
        "5": {"truth.rows.candidate": 2, "truth.wrong.candidate": 1, "truth.rows.baseline": 1},
        "50": {"truth.rows.baseline": 1, "truth.wrong.baseline": 1},
    }
