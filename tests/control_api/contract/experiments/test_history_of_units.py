"""What units did before an experiment, as both databases have it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from modelport_control_api.db.session import Database
from modelport_control_api.experiments.counting import count
from modelport_control_api.experiments.schemas import Goal, Terms
from modelport_control_api.ground_truth import writing
from modelport_control_api.registry.tables import ExperimentRow
from modelport_evidence.history import History
from modelport_evidence.means import Sums

from tests.control_api.contract.feedback.test_rows_of_both import DAY, START, predicted, truth

EXPERIMENT = ExperimentRow(model_id="iris-1", number=1, arms={"v1": 50, "v2": 50}, created_at=START)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def rewarded(
    id_: str, unit: str, reward: float, *, day: float, told: float | None = None, **other: Any
) -> Any:
    """A row and what came of it, each so many days after the experiment began."""
    at = START + timedelta(days=day)
    feedback = truth(id_, None) | {"label": None, "reward": reward}
    return (
        predicted(id_, "a", unit=unit, **other) | {"at": at},
        feedback | {"at": at if told is None else START + timedelta(days=told)},
    )


def history(database: Database, *rows: Any, metric: Any = "reward") -> dict[str, History]:
    """Of each arm of which anything is known."""
    with database.transaction() as session:
        writing.write_predictions(session, [each for each, _ in rows])
        writing.write_feedback(session, [each for _, each in rows])
    with database.transaction() as session:
        terms = Terms(goal=Goal(metric=metric))
        found = count(session, EXPERIMENT, terms, start=START + timedelta(seconds=2), end=START + DAY)
    return {arm: counts.measured[metric].history for arm, counts in found.arms.items()}


NOW = (
    rewarded("n1", "ann", 5, day=0.5, version="v1"),
    rewarded("n2", "ben", 7, day=0.5, version="v2"),
    rewarded("n3", "cem", 1, day=0.5, version="v2"),
)


def test_what_each_unit_did_in_the_two_weeks_before_stands_beside_what_it_does_now(
    database: Database,
) -> None:
    found = history(
        database,
        *NOW,
        rewarded("b1", "ann", 2, day=-1),
        rewarded("b2", "ann", 3, day=-13),
        rewarded("b3", "ben", 4, day=-1),
        rewarded("b4", "ben", 100, day=-15),
        rewarded("b5", "", 100, day=-1),
        rewarded("b6", "dan", 100, day=-1),
        rewarded("b7", "ben", 100, day=-1, model_id="other"),
    )
    assert found == {"v1": History(Sums(1, 5, 25), 5, 25), "v2": History(Sums(1, 4, 16), 7, 28)}


def test_what_came_of_it_once_the_experiment_had_begun_is_its_effect_and_no_history(
    database: Database,
) -> None:
    found = history(
        database,
        *NOW,
        rewarded("b1", "ann", 2, day=-1, told=0.1),
        rewarded("b2", "ben", 4, day=-1, told=-0.5),
        rewarded("b3", "ben", 100, day=1e-5, version="v1"),
    )
    assert found == {"v1": History(Sums(1, 0, 0), 5, 0), "v2": History(Sums(1, 4, 16), 7, 28)}


def test_only_what_one_version_answered_counts(database: Database) -> None:
    found = history(
        database,
        *NOW,
        rewarded("b1", "ann", 100, day=-5, version="v1"),
        rewarded("b2", "ben", 100, day=-4, version="v2"),
        rewarded("b3", "ann", 2, day=-3, version="v1"),
        rewarded("b4", "ben", 4, day=-2, version="v1"),
    )
    assert found == {"v1": History(Sums(1, 2, 4), 5, 10), "v2": History(Sums(1, 4, 16), 7, 28)}


def test_of_a_mean_who_has_no_truth_has_no_history(database: Database) -> None:
    now = [
        (predicted(f"n{unit}", "a", unit=unit, minute=5), truth(f"n{unit}", "a")) for unit in ("ann", "ben")
    ]
    before = [
        (predicted("b1", "a", unit="ann", minute=-5), truth("b1", "b", minute=-5)),
        (predicted("b2", "a", unit="ben", minute=-5), truth("other", "b")),
    ]
    assert history(database, *now, *before, metric="accuracy") == {"v1": History(Sums(1, 0, 0), 1, 0)}
