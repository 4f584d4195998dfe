"""A rollout from its request to its end, as gateways' counts and the clock move it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from modelport_crds.mlmodel import Guardrails, Replay, Rollout, RolloutStrategy, Shadow
from modelport_evidence import counters
from modelport_operator.core.observed.probe_results import RuntimeStatus
from modelport_operator.shell.reconcile import reconcile
from modelport_operator.shell.rollout.evidence import NotHeard
from modelport_operator.shell.runtimes import Answer
from msgspec.structs import replace

from tests.operator.unit.harness import KEY, NOW, Harness, ScriptedRuntimes
from tests.support.builders import ModelBuilder, a_model

OLD, NEW = "10.0.0.1", "10.0.0.2"
TOTAL_ROWS = 2000
STRATEGY = RolloutStrategy(
    replay=Replay(rows=0), steps=(5, 50), step_minutes=2, step_requests=50, bake_minutes=10, max_hours=2
)


@dataclass
class ScriptedEvidence:
    """What the control API says; `away`: it does not."""

    counted: dict[str, dict[str, int]] = field(default_factory=dict)
    kept: Sequence[Any] = ()
    away: bool = False
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def counts(self, model: str, rollout: int) -> Mapping[str, Mapping[str, int]]:
        self.asked.append((model, rollout))
        if self.away:
            raise NotHeard("refused")
        return self.counted

    async def rows(self, model: str, limit: int) -> Sequence[Any]:
        if self.away:
            raise NotHeard("refused")
        return self.kept[:limit]

    def shadow(self, rows: int = TOTAL_ROWS, disagreements: int = 0, **more: int) -> None:
        step = {counters.PAIRS: rows, counters.ROWS: rows, counters.DISAGREEMENTS: disagreements}
        self.counted["shadow"] = {**step, **more}

    def live(self, step: int, candidate: int, baseline: int) -> None:
        self.counted[str(step)] = {
            counters.live_requests(counters.CANDIDATE): candidate,
            counters.live_requests(counters.BASELINE): baseline,
        }


@dataclass
class MovingClock:
    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


@dataclass
class AnsweringRuntimes(ScriptedRuntimes):
    """`predict_row`: by host, row → prediction, or an HTTP status other than 200."""

    labels: dict[str, Any] = field(default_factory=dict)

    async def answer(self, address: str, body: bytes) -> Answer | None:
        predict = self.labels[address.removesuffix(":8080")]
        found = [predict(row) for row in json.loads(body)["inputs"]]
        failed = next((each for each in found if isinstance(each, Answer)), None)
        return failed or Answer(200, json.dumps({"predictions": found}).encode())


@dataclass
class Rolling(Harness):
    runtimes: AnsweringRuntimes = field(default_factory=AnsweringRuntimes)
    evidence: ScriptedEvidence = field(default_factory=ScriptedEvidence)
    clock: MovingClock = field(default_factory=MovingClock)

    async def reconcile(self, *, check_engines: bool = False) -> float | None:
        return await reconcile(
            self.kube, self.runtimes, KEY, self.settings, self.clock, evidence=self.evidence
        )

    async def later(self, **time: float) -> None:
        self.clock.time += timedelta(**time)
        await self.settle()

    def rollout(self) -> dict[str, Any]:
        return {"state": "Pending", **self.kube.status()["rollout"]}


BOTH = a_model().versions("v1", "v2").traffic(v1=100)


def rolling(strategy: RolloutStrategy = STRATEGY, **changes: Any) -> ModelBuilder:
    return BOTH.with_spec(rollout=Rollout(id=1, version="v2", strategy=strategy, **changes))


async def begun(strategy: RolloutStrategy = STRATEGY, *, is_ready: bool = True) -> Rolling:
    """v1 has all the requests, a rollout of v2 is asked for."""
    harness = Rolling()
    await harness.submit(a_model().versions("v1"))
    await harness.settle()
    await harness.play("v1", address=OLD)
    await harness.settle()
    await harness.submit(rolling(strategy))
    await harness.settle()
    if is_ready:
        await harness.play("v2", address=NEW)
        await harness.settle()
    return harness


async def test_a_rollout_goes_from_shadow_through_its_steps_to_its_promotion() -> None:
    harness = await begun()
    assert (harness.rollout()["state"], harness.rollout()["shadowPercent"]) == ("Shadowing", 100)
    assert harness.traffic() == {"v1": 100}
    assert harness.rollout()["held"] == "0 rows of 200 are compared."
    harness.evidence.shadow()
    await harness.settle()
    assert (harness.rollout()["state"], harness.traffic()) == ("Canary", {"v1": 95, "v2": 5})
    assert harness.rollout()["held"] == "0 requests of 50 came in this step."
    harness.evidence.live(5, candidate=60, baseline=1140)
    await harness.settle()
    assert harness.rollout()["held"] == "A step lasts 2 minutes."
    await harness.later(minutes=2)
    assert harness.traffic() == {"v1": 50, "v2": 50}
    harness.evidence.live(50, candidate=60, baseline=60)
    await harness.later(minutes=2)
    assert (harness.rollout()["state"], harness.traffic()) == ("Baking", {"v2": 100})
    await harness.later(minutes=10)
    assert (harness.rollout()["state"], harness.traffic()) == ("Promoted", {"v2": 100})
    assert harness.rollout()["verdict"] == (
        "v2 stayed within what is tolerated over 2,000 compared rows and 120 requests of callers; v2 serves."
    )
    assert await harness.reconcile() is None


async def test_other_answers_roll_it_back_and_the_sentence_says_so() -> None:
    harness = await begun()
    harness.evidence.shadow(rows=1000, disagreements=61)
    await harness.settle()
    rollout = harness.rollout()
    assert (rollout["state"], harness.traffic()) == ("RolledBack", {"v1": 100})
    assert rollout["verdict"] == "v2 answers 6.1 % of rows otherwise than v1 (1 % tolerated); v1 serves on."
    assert "shadowPercent" not in rollout


async def test_what_goes_wrong_at_a_step_takes_the_traffic_back() -> None:
    harness = await begun()
    harness.evidence.shadow()
    await harness.settle()
    assert harness.traffic() == {"v1": 95, "v2": 5}
    harness.evidence.shadow(rows=3000, disagreements=300)
    await harness.settle()
    assert (harness.rollout()["state"], harness.traffic()) == ("RolledBack", {"v1": 100})


async def test_too_little_is_hold_and_in_the_end_inconclusive() -> None:
    harness = await begun()
    harness.evidence.shadow(rows=220, disagreements=1)
    await harness.later(minutes=119)
    assert harness.rollout()["held"].startswith(
        "It is not known well enough yet how often it answers otherwise"
    )
    await harness.later(minutes=1)
    assert (harness.rollout()["state"], harness.traffic()) == ("Inconclusive", {"v1": 100})
    assert harness.rollout()["verdict"].startswith("After 2 hours it is not known well enough how often it")


async def test_with_the_control_api_away_it_holds_and_goes_on_when_it_is_back() -> None:
    harness = await begun()
    harness.evidence.shadow()
    harness.evidence.away = True
    await harness.later(minutes=5)
    assert (harness.rollout()["state"], harness.traffic()) == ("Shadowing", {"v1": 100})
    assert harness.rollout()["held"] == "The control API cannot be asked what was counted."
    harness.evidence.away = False
    await harness.settle()
    assert harness.rollout()["state"] == "Canary"


async def test_a_candidate_that_does_not_start_is_rolled_back_in_its_own_words() -> None:
    harness = await begun(is_ready=False)
    assert (harness.rollout()["state"], harness.traffic()) == ("Pending", {"v1": 100})
    failed = RuntimeStatus(state="failed", reason="OutOfMemory", message="It needs more than 2 GiB.")
    harness.runtimes.statuses[NEW] = failed
    await harness.play("v2", address=NEW)
    await harness.settle()
    assert (harness.rollout()["state"], harness.traffic()) == ("RolledBack", {"v1": 100})
    assert harness.rollout()["verdict"].startswith("v2 did not start: It needs more than 2 GiB.")
    assert harness.rollout()["verdict"].endswith("v1 serves on.")


REPLAYED = replace(STRATEGY, replay=Replay(rows=500))


async def _replayed(label: Any, rows: Sequence[Any]) -> Rolling:
    harness = await begun(REPLAYED, is_ready=False)
    harness.runtimes.labels = {OLD: lambda _row: "a", NEW: label}
    harness.evidence.kept = rows
    await harness.play("v2", address=NEW)
    await harness.settle()
    return harness


async def test_kept_rows_go_through_both_before_any_live_one_does() -> None:
    harness = await _replayed(lambda _row: "a", [[each] for each in range(120)])
    assert (harness.rollout()["state"], harness.rollout()["replayedRows"]) == ("Shadowing", 120)


async def test_kept_rows_that_are_answered_otherwise_end_it_at_once() -> None:
    harness = await _replayed(lambda row: "b" if row[0] % 2 else "a", [[each] for each in range(120)])
    assert harness.rollout()["state"] == "RolledBack"
    assert harness.rollout()["verdict"] == (
        "Of 120 kept rows: v2 answers 50 % of rows otherwise than v1 (1 % tolerated); v1 serves on."
    )


async def test_a_row_that_fails_spoils_none_of_its_block() -> None:
    harness = await _replayed(
        lambda row: Answer(500, b"{}") if row[0] % 3 == 0 else "a", [[each] for each in range(150)]
    )
    failed = next(each for each in harness.rollout()["findings"] if each["guardrail"] == "error_rate")
    assert (failed["state"], failed["estimate"], failed["observations"]) == ("beyond", "0.333333", 150)


async def test_without_kept_rows_shadowing_begins() -> None:
    harness = await _replayed(lambda _row: "a", [])
    assert harness.rollout()["state"] == "Shadowing"


@pytest.mark.parametrize(
    ("decision", "state", "traffic"),
    [
        ("promote", "Promoted", {"v2": 100}),
        ("rollback", "RolledBack", {"v1": 100}),
        ("cancel", "Cancelled", {"v1": 100}),
    ],
)
async def test_a_person_ends_it(decision: str, state: str, traffic: dict[str, int]) -> None:
    harness = await begun()
    await harness.submit(rolling(decision=decision))
    await harness.settle()
    assert (harness.rollout()["state"], harness.traffic()) == (state, traffic)


async def test_what_has_not_answered_is_not_promoted_by_anybody() -> None:
    harness = await begun(is_ready=False)
    await harness.submit(rolling(decision="promote"))
    await harness.settle()
    assert (harness.rollout()["state"], harness.traffic()) == ("Pending", {"v1": 100})
    await harness.play("v2", address=NEW)
    await harness.settle()
    assert harness.traffic() == {"v2": 100}


async def test_paused_it_stays_and_is_rolled_back_all_the_same() -> None:
    harness = await begun()
    await harness.submit(rolling(paused=True))
    harness.evidence.shadow()
    await harness.later(minutes=5)
    assert (harness.rollout()["state"], harness.rollout()["held"]) == ("Shadowing", "It is paused.")
    harness.evidence.shadow(disagreements=400)
    await harness.settle()
    assert harness.rollout()["state"] == "RolledBack"


async def test_taken_out_of_the_spec_it_is_cancelled_and_kept() -> None:
    harness = await begun()
    await harness.submit(BOTH.with_spec(rollout=None))
    await harness.settle()
    assert (harness.rollout()["state"], harness.traffic()) == ("Cancelled", {"v1": 100})


async def test_another_id_is_another_rollout() -> None:
    harness = await begun()
    harness.evidence.shadow(disagreements=400)
    await harness.settle()
    harness.evidence.counted = {}
    await harness.submit(BOTH.with_spec(rollout=Rollout(id=2, version="v2", strategy=STRATEGY)))
    await harness.settle()
    assert (harness.rollout()["id"], harness.rollout()["state"]) == (2, "Shadowing")
    assert harness.evidence.asked[-1] == ("iris", 2)


async def test_traffic_that_names_the_candidate_alone_waits_for_the_proof() -> None:
    """As GitOps writes it: what is wanted in the end, and how to get there, in one commit."""
    harness = await begun(is_ready=False)
    await harness.submit(rolling().traffic(v2=100))
    await harness.play("v2", address=NEW)
    await harness.settle()
    assert (harness.rollout()["state"], harness.traffic()) == ("Shadowing", {"v1": 100})
    harness.evidence.shadow(disagreements=400)
    await harness.settle()
    assert (harness.rollout()["state"], harness.traffic()) == ("RolledBack", {"v1": 100})


async def test_where_nothing_serves_there_is_nothing_to_compare() -> None:
    harness = Rolling()
    await harness.submit(rolling().versions("v2").traffic(v2=100))
    await harness.settle()
    await harness.play("v2", address=NEW)
    await harness.settle()
    assert (harness.rollout()["state"], harness.traffic()) == ("Promoted", {"v2": 100})


async def test_a_guardrail_that_is_off_is_not_looked_at() -> None:
    free = replace(STRATEGY, guardrails=Guardrails(disagreement="off"), shadow=Shadow(percent=20))
    harness = await begun(free)
    assert harness.rollout()["shadowPercent"] == 20
    harness.evidence.shadow(disagreements=1000)
    await harness.settle()
    assert harness.rollout()["state"] == "Canary"
    assert "disagreement" not in [each["guardrail"] for each in harness.rollout()["findings"]]


async def test_a_split_that_is_not_as_asked_for_holds() -> None:
    harness = await begun()
    harness.evidence.shadow()
    await harness.settle()
    harness.evidence.live(5, candidate=500, baseline=500)
    await harness.later(minutes=5)
    assert harness.rollout()["state"] == "Canary"
    assert "5 %" in harness.rollout()["held"]


def told(wrong: int, rows: int = 5000) -> dict[str, int]:
    """Of the candidate so many of these rows are wrong; of the baseline a tenth."""
    return {
        counters.known_rows(counters.CANDIDATE): rows, counters.wrong_rows(counters.CANDIDATE): wrong,
        counters.known_rows(counters.BASELINE): rows, counters.wrong_rows(counters.BASELINE): rows // 10,
    }  # fmt: skip


async def test_with_a_guardrail_on_quality_the_truth_is_waited_for_at_the_last_step() -> None:
    strategy = replace(STRATEGY, steps=(5, 50), guardrails=Guardrails(quality="0.05"))
    harness = await begun(strategy)
    harness.evidence.shadow()
    await harness.later(seconds=2)
    harness.evidence.live(5, candidate=60, baseline=1000)
    await harness.later(minutes=3)
    assert harness.rollout()["step"] == "50"
    harness.evidence.live(50, candidate=600, baseline=600)
    await harness.later(minutes=3)
    assert harness.rollout()["held"] == "It is not known well enough yet how often it is right."
    harness.evidence.counted["50"] |= told(wrong=510)
    await harness.later(minutes=3)
    assert harness.rollout()["state"] == "Baking"


async def test_a_candidate_that_turns_out_to_be_wrong_more_often_is_rolled_back() -> None:
    harness = await begun(replace(STRATEGY, guardrails=Guardrails(quality="0.05")))
    harness.evidence.shadow()
    await harness.later(seconds=2)
    harness.evidence.live(5, candidate=60, baseline=1000)
    harness.evidence.counted["5"] |= told(wrong=150, rows=500)
    await harness.later(seconds=2)
    assert harness.rollout()["state"] == "RolledBack"
    assert harness.rollout()["verdict"] == (
        "v2 is wrong about 20 % more of the rows whose truth is known than v1 (5 % tolerated); v1 serves on."
    )
