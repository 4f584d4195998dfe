"""`modelport rollout`, and `client.rollouts` behind it."""

import json
from typing import Any

import pytest
from modelport import Conflict, Modelport, NotFound, NotReadyInTime

from tests.client.unit.conftest import Cli
from tests.client.unit.platform import Answer, Platform, problem

ALL = "GET /api/v1/models/iris/rollouts"
ONE = "GET /api/v1/models/iris/rollouts/3"
START = "POST /api/v1/models/iris/rollouts"
FINDING = {
    "guardrail": "disagreement", "state": "beyond", "estimate": 0.061, "lower": 0.04, "upper": 0.09,
    "limit": 0.01, "observations": 1200, "message": "v2 answers otherwise",
}  # fmt: skip


def rollout(**changes: Any) -> dict[str, Any]:
    usual = {
        "id": 3, "version": "v2", "baseline": "v1", "state": "canary", "step": "5", "weight": 5,
        "verdict": "", "held": "too little traffic", "paused": False, "findings": [FINDING],
        "strategy": {"steps": [5]}, "started_at": "2026-12-01T02:00:00Z", "ended_at": None,
    }  # fmt: skip
    return {**usual, **changes}


OVER = rollout(state="rolled_back", verdict="v1 serves on.", held="", ended_at="2026-12-01T03:00:00Z")


def test_one_is_started_with_a_strategy(client: Modelport, platform: Platform) -> None:
    platform.on(START, Answer(201, rollout(state="pending")))
    assert client.rollouts.start("iris", "v2").state == "pending"
    client.rollouts.start("iris", "v2", strategy={"steps": [10]})
    sent = [asked.json for asked in platform.calls(START)]
    assert sent == [{"version": "v2"}, {"version": "v2", "strategy": {"steps": [10]}}]


def test_the_newest_is_meant_where_none_is_named(client: Modelport, platform: Platform) -> None:
    platform.on(ALL, Answer(200, {"items": [rollout(), rollout(id=2)]}))
    platform.on(ONE, Answer(200, rollout()))
    found = client.rollouts.get("iris")
    assert found == client.rollouts.get("iris", 3) == client.rollouts("iris")[0]
    assert (found.findings[0].estimate, found.is_over) == (0.061, False)
    for step in ("pause", "resume", "promote", "rollback", "cancel"):
        call = f"POST /api/v1/models/iris/rollouts/3/{step}"
        platform.on(call, Answer(200, rollout()))
        getattr(client.rollouts, step)("iris")
        getattr(client.rollouts, step)("iris", 3)
        assert len(platform.calls(call)) == 2


def test_without_any_there_is_none_to_steer(client: Modelport, platform: Platform) -> None:
    platform.on(ALL, Answer(200, {"items": []}))
    with pytest.raises(NotFound, match="no rollout"):
        client.rollouts.pause("iris")


def test_its_end_is_waited_for(client: Modelport, platform: Platform, pauses: list[float]) -> None:
    platform.on(ONE, Answer(200, rollout(state="shadowing")), Answer(200, rollout()), Answer(200, OVER))
    seen: list[str] = []
    found = client.rollouts.wait("iris", 3, on_status=lambda each: seen.append(each.state))
    assert (found.verdict, seen) == ("v1 serves on.", ["shadowing", "canary", "rolled_back"])
    assert pauses == [2.0, 2.0]
    platform.on(ONE, Answer(200, rollout()))
    with pytest.raises(NotReadyInTime, match="not over after 0 s"):
        client.rollouts.wait("iris", 3, seconds=0)


def test_what_stands_in_the_way_is_said(client: Modelport, platform: Platform) -> None:
    platform.on(START, problem(409, "Rollout 3 of v2 is going on: cancel it first."))
    with pytest.raises(Conflict, match="cancel it first"):
        client.rollouts.start("iris", "v2")


def test_the_command_shows_it_in_words(cli: Cli, platform: Platform) -> None:
    platform.on(ALL, Answer(200, {"items": [rollout()]}))
    platform.on(ONE, Answer(200, rollout()))
    done = cli("rollout", "status", "iris")
    first, header, row = done.out.strip().split("\n")
    assert first == "Rollout 3, v1 to v2: has a share of the traffic (5 %); held: too little traffic"
    assert header.split() == ["GUARDRAIL", "FINDING", "MEASURED", "BETWEEN", "TOLERATED", "OF"]
    assert " ".join(row.split()) == (
        "disagreement BROKEN 0.061 0.04 and 0.09 0.01 1,200 observations v2 answers otherwise"
    )
    assert json.loads(cli("rollout", "status", "iris", "--json").out) == rollout()


def test_the_command_shows_what_was_counted_in_each_step(cli: Cli, platform: Platform) -> None:
    side = {"requests": 1500, "errors": 3, "p99_ms": 12.345, "paired_p99_ms": 1.0}
    none = {"requests": 0, "errors": 0, "p99_ms": None, "paired_p99_ms": None}
    copies = none | {"paired_p99_ms": 4.56}
    counted = {
        "evidence": [
            {"step": "shadow", "rows": 200, "disagreements": 1, "candidate": copies, "baseline": side},
            {"step": "25", "rows": 0, "disagreements": 0, "candidate": none, "baseline": none},
            {"step": "5", "rows": 12_000, "disagreements": 40, "candidate": side, "baseline": side},
        ],
        "worst_segments": [{"segment": "`shape` is \x1b[31mmissing", "rows": 1, "disagreements": 1}],
    }
    platform.on(ONE, Answer(200, rollout(findings=[], **counted)))
    _, header, shadow, empty, canary, worst = cli("rollout", "status", "iris", "3").out.strip().split("\n")
    assert header.split()[:2] == ["STEP", "COMPARED"]
    assert shadow.split() == ["shadow", "200", "1", "0", "0", "4.56", "ms", "1", "ms"]
    assert " ".join(empty.split()) == "25 % 0 0 0 0 – –"
    assert " ".join(canary.split()) == "5 % 12,000 40 1,500 3 12.3 ms 12.3 ms"
    # A caller's value cannot write to the terminal.
    assert worst == "1 of 1 row differ where `shape` is \ufffd[31mmissing"


def test_what_is_not_known_has_no_bounds_and_a_decision_is_told(cli: Cli, platform: Platform) -> None:
    unseen = FINDING | {"state": "unknown", "estimate": None, "lower": 0, "upper": 1, "observations": 0}
    platform.on(ONE, Answer(200, rollout(findings=[unseen], decision="cancel", held="")))
    first, _, row = cli("rollout", "status", "iris", "3").out.strip().split("\n")
    assert first == "Rollout 3, v1 to v2: has a share of the traffic (5 %); is being cancelled"
    assert " ".join(row.split()).startswith("disagreement not known yet – – 0.01 0 observations")
    platform.on(ONE, Answer(200, OVER | {"decision": "rollback"}))
    assert "is being" not in cli("rollout", "status", "iris", "3").out


def test_the_command_starts_one_and_watches_it(cli: Cli, platform: Platform) -> None:
    platform.on(START, Answer(201, rollout(state="pending")))
    platform.on(ONE, Answer(200, OVER))
    done = cli(
        "rollout", "start", "iris", "v2", "--disagreement", "off", "--strategy", '{"steps": [10]}', "-w"
    )
    assert platform.calls(START)[0].json["strategy"] == {"steps": [10], "guardrails": {"disagreement": None}}
    assert done.out.startswith("Rollout 3, v1 to v2: rolled back. v1 serves on.")
    assert cli("rollout", "start", "iris", "v2", "--strategy", "[1]").code == 2
    for wrong in ("much", "20", "-1", "120%", "nan"):
        assert cli("rollout", "start", "iris", "v2", "--disagreement", wrong).code == 2, wrong
    assert cli("rollout", "start", "iris", "v2", "--disagreement", "20%").code == 0
    assert platform.calls(START)[1].json["strategy"] == {"guardrails": {"disagreement": 0.2}}


def test_the_command_lists_and_steers(cli: Cli, platform: Platform) -> None:
    platform.on(ALL, Answer(200, {"items": [OVER]}))
    assert "v1 serves on." in cli("rollout", "list", "iris").out
    for step in ("pause", "resume", "promote", "rollback", "cancel"):
        platform.on(f"POST /api/v1/models/iris/rollouts/3/{step}", Answer(200, OVER))
        done = cli("rollout", step, "iris", "3")
        assert (done.code, done.out[:9]) == (0, "Rollout 3")
