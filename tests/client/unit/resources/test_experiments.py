"""`modelport experiments`, and `client.experiments` behind it."""

import json
from typing import Any

import pytest
from modelport import Conflict, Modelport, NotFound

from tests.client.unit.conftest import Cli
from tests.client.unit.platform import Answer, Platform, problem

ALL = "GET /api/v1/models/iris/experiments"
ONE = "GET /api/v1/models/iris/experiments/3"
START = "POST /api/v1/models/iris/experiments"
PROMOTE = "POST /api/v1/models/iris/experiments/3/promote"
STOP = "POST /api/v1/models/iris/experiments/3/stop"
ARMS = [
    {"version": "v1", "weight": 50, "units": 20600, "rows": 30000, "mean": 0.1, "lower": 0.09, "upper": 0.11},
    {
        "version": "v2",
        "weight": 50,
        "units": 20600,
        "rows": 31000,
        "mean": 0.118,
        "lower": 0.1,
        "upper": 0.13,
    },
]
COMPARISON = {
    "version": "v2", "metric": "reward", "state": "better", "estimate": 0.018, "lower": 0.006, "upper": 0.03,
    "units": 41200, "variance_reduction": 0.384,
    "message": "v2 converts 1.8 points more than v1 (0.6 to 3.0); 41,200 sessions",
}  # fmt: skip
VERDICT = f"{COMPARISON['message']}."


def experiment(**changes: Any) -> dict[str, Any]:
    usual = {
        "id": 3, "arms": {"v1": 50, "v2": 50}, "control": "v1", "unit": "session", "state": "decided",
        "verdict": VERDICT, "winner": "v2", "promoted": None, "started_at": "2026-11-24T02:00:00Z",
        "decided_at": "2026-12-01T02:00:00Z", "ended_at": None,
        "evidence": {
            "arms": ARMS, "comparisons": [COMPARISON], "units_in_several": 1, "rows_without_unit": 12,
        },
    }  # fmt: skip
    return {**usual, **changes}


NEW = experiment(state="starting", verdict="", winner=None, evidence=None, started_at=None, decided_at=None)
PROMOTED = experiment(state="promoted", promoted="v2", ended_at="2026-12-01T03:00:00Z")


def test_one_is_started(client: Modelport, platform: Platform) -> None:
    platform.on(START, Answer(201, NEW))
    found = client.experiments.start("iris", {"v1": 50, "v2": 50})
    assert (found.state, found.is_over, found.measured, found.started_at) == ("starting", False, (), None)
    client.experiments.start(
        "iris", {"v1": 90, "v2": 10}, goal={"metric": "mae", "direction": "minimize"}, min_days=3
    )
    assert [asked.json for asked in platform.calls(START)] == [
        {"arms": {"v1": 50, "v2": 50}, "goal": {"metric": "reward"}},
        {
            "arms": {"v1": 90, "v2": 10}, "goal": {"metric": "mae", "direction": "minimize"}, "min_days": 3,
        },
    ]  # fmt: skip


def test_the_newest_is_meant_where_none_is_named(client: Modelport, platform: Platform) -> None:
    platform.on(ALL, Answer(200, {"items": [experiment(), experiment(id=2)]}))
    platform.on(ONE, Answer(200, experiment()))
    found = client.experiments.get("iris")
    assert found == client.experiments.get("iris", 3) == client.experiments("iris")[0]
    assert (found.winner, found.measured[1].units, found.comparisons[0].lower) == ("v2", 20600, 0.006)
    platform.on(PROMOTE, Answer(200, PROMOTED))
    platform.on(STOP, Answer(200, PROMOTED))
    for number in (None, 3):
        assert client.experiments.promote("iris", number).promoted == "v2"
        client.experiments.stop("iris", number)
    client.experiments.promote("iris", version="v1")
    assert [asked.json for asked in platform.calls(PROMOTE)] == [{}, {}, {"version": "v1"}]
    assert len(platform.calls(STOP)) == 2


def test_without_any_there_is_none_to_end(client: Modelport, platform: Platform) -> None:
    platform.on(ALL, Answer(200, {"items": []}))
    with pytest.raises(NotFound, match="no experiment"):
        client.experiments.stop("iris")


def test_what_stands_in_the_way_is_said(client: Modelport, platform: Platform) -> None:
    platform.on(START, problem(409, "Rollout 3 of v2 is going on: cancel it first."))
    with pytest.raises(Conflict, match="cancel it first"):
        client.experiments.start("iris", {"v1": 50, "v2": 50})


def test_the_command_shows_it_in_words(cli: Cli, platform: Platform) -> None:
    platform.on(ALL, Answer(200, {"items": [experiment()]}))
    platform.on(ONE, Answer(200, experiment()))
    done = cli("experiments", "status", "iris")
    assert done.code == 0
    assert "Experiment 3, v1 50 %, v2 50 %: decided; promote the winner, or stop it." in done.out
    assert VERDICT in done.out
    assert "0.006 and 0.03" in done.out
    assert "38 % of the variance was taken out: what sessions did before" in done.out
    assert "Left out: 1 session that more than one version answered." in done.out
    assert "12 rows without a session; send X-Modelport-Session" in done.out
    assert json.loads(cli("experiments", "status", "iris", "--json").out) == experiment()
    listed = cli("experiments", "list", "iris")
    assert "v1=50 v2=50" in listed.out


def test_the_command_starts_promotes_and_stops(cli: Cli, platform: Platform) -> None:
    platform.on(START, Answer(201, NEW))
    done = cli(
        "experiments", "start", "iris", "v1=90", "v2=10", "--metric", "accuracy", "--guardrail", "reward=0.5",
        "--min-days", "3", "--winner-takes-all", "--unit", "caller", "--force",
    )  # fmt: skip
    assert platform.calls(START)[0].path.endswith("?force=true")
    assert "Experiment 3, v1 50 %, v2 50 %: waits until the versions have the traffic." in done.out
    assert platform.calls(START)[0].json == {
        "arms": {"v1": 90, "v2": 10}, "goal": {"metric": "accuracy"}, "unit": "caller", "min_days": 3,
        "guardrails": [{"metric": "reward", "tolerance": 0.5}], "winner_takes_all": True,
    }  # fmt: skip
    platform.on(PROMOTE, Answer(200, PROMOTED))
    platform.on(STOP, Answer(200, PROMOTED))
    assert "promoted; v2 has all traffic" in cli("experiments", "promote", "iris", "3").out
    assert cli("experiments", "stop", "iris", "3").code == 0


@pytest.mark.parametrize(
    "arguments", [("v1", "v2"), ("v1=x", "v2=50"), ("v1=50", "v2=50", "--guardrail", "mae")]
)
def test_what_cannot_be_read_is_refused_before_it_is_sent(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli("experiments", "start", "iris", *arguments)
    assert done.code == 2
    assert "e.g." in done.err
