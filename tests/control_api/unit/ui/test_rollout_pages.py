"""A rollout as steps and guardrails, and the form that starts one."""

from typing import Any

import pytest
from modelport_control_api.rollouts.schemas import Finding, RolloutAnswer, Strategy
from modelport_control_api.ui.rollouts.form import parse, values_of
from modelport_control_api.ui.rollouts.view import GuardrailRow, guardrails_of, steps_of

NONE = dict.fromkeys(("created_by", "created_at", "started_at", "step_started_at", "ended_at", "decision"))


def rollout(**changes: Any) -> RolloutAnswer:
    usual = {
        "id": 1, "version": "v2", "baseline": "v1", "state": "canary", "step": "5", "weight": 5,
        "shadow_percent": 100, "replayed_rows": 0, "verdict": "", "held": "", "paused": False, "findings": [],
        "strategy": Strategy(steps=[5, 50]), **NONE,
    }  # fmt: skip
    return RolloutAnswer(**{**usual, **changes})


def marks(**changes: Any) -> str:
    """The first letter of each step's state."""
    return "".join(step.state[0] for step in steps_of(rollout(**changes)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"state": "pending", "step": ""}, "awwwww"),
        ({"state": "replaying", "step": ""}, "dawwww"),
        ({"state": "shadowing", "step": "shadow"}, "ddawww"),
        ({"state": "canary", "step": "50"}, "ddddaw"),
        ({"state": "baking", "step": "100"}, "ddddda"),
        ({"state": "promoted", "step": "100"}, "dddddd"),
        # By a person, before it was through.
        ({"state": "promoted", "step": "5"}, "dddddd"),
        ({"state": "rolled_back", "step": "5"}, "dddfww"),
        ({"state": "rolled_back", "step": ""}, "fwwwww"),
        ({"state": "inconclusive", "step": "shadow"}, "ddswww"),
        ({"state": "cancelled", "step": ""}, "swwwww"),
        # Of kubectl, whose strategy went with the spec.
        ({"state": "rolled_back", "step": "7"}, "ddddfww"),
        ({"strategy": Strategy(steps=[], replay={"rows": 0}), "state": "baking", "step": "100"}, "dda"),
    ],
)
def test_how_far_it_came(changes: dict[str, Any], expected: str) -> None:
    assert marks(**changes) == expected


def test_what_kept_rows_came_to_ends_it_at_the_replay() -> None:
    found = finding("disagreement", state="beyond")
    assert marks(state="rolled_back", step="", findings=[found], replayed_rows=40) == "dfwwww"
    replay = steps_of(rollout(replayed_rows=1))[1]
    assert (replay.title, replay.detail) == ("Replay", "1 kept row went through both versions")


def finding(guardrail: str, **changes: Any) -> Finding:
    usual = {
        "guardrail": guardrail, "state": "within", "estimate": 0.00412, "lower": 0.0, "upper": 0.0099,
        "limit": 0.01, "observations": 1, "message": "so and so",
    }  # fmt: skip
    return Finding(**{**usual, **changes})


def test_guardrails_are_percent_or_times_and_those_off_are_named() -> None:
    wanted = Strategy(guardrails={"refusal_rate": None})
    ratio = finding("p99_ratio", state="unknown", estimate=None, lower=0.5, upper=None, observations=12)
    rows = guardrails_of(rollout(strategy=wanted, findings=[finding("disagreement"), ratio]))
    assert rows == [
        GuardrailRow("disagreement", "within", "0.412 %", "0 % to 0.99 %", "1 %", "1 row", "so and so"),
        GuardrailRow("error_rate", "unknown", tolerated="1 %"),
        GuardrailRow("refusal_rate", None),
        GuardrailRow("p99_ratio", "unknown", "–", "–", "2 times", "12 requests", "so and so"),
        GuardrailRow("quality", None),
    ]
    # Of nothing that was seen the interval is everything, and tells nobody anything.
    unseen = finding("error_rate", state="unknown", estimate=None, lower=-1, upper=1, observations=0)
    assert guardrails_of(rollout(findings=[unseen]))[1].between == "–"


def test_the_form_as_it_is_shown_starts_what_the_api_does_by_itself() -> None:
    values = values_of("v2", Strategy())
    assert (values["disagreement"], values["p99_ratio"], values["steps"]) == ("1", "2", "1, 5, 25, 50")
    parsed = parse(values)
    assert parsed.body is not None
    assert (parsed.body.version, parsed.body.strategy) == ("v2", Strategy())


def test_what_is_typed_arrives() -> None:
    typed = {
        "version": "v2", "disagreement": " 2.5 % ", "error_rate": "", "refusal_rate": "0", "p99_ratio": "3",
        "quality": "2",
        "steps": "10 %, 20,", "shadow.min_rows": "7", "replay.rows": "0", "bake_minutes": "",
    }  # fmt: skip
    parsed = parse(typed)
    assert parsed.body is not None, parsed.form.errors
    strategy = parsed.body.strategy
    assert strategy.guardrails.model_dump() == {
        "disagreement": 0.025, "error_rate": None, "refusal_rate": 0, "p99_ratio": 3, "quality": 0.02,
    }  # fmt: skip
    assert (strategy.steps, strategy.shadow.min_rows, strategy.shadow.percent) == ([10, 20], 7, 100)
    assert (strategy.replay.rows, strategy.bake_minutes) == (0, 10)
    without = parse({"version": "v2", "steps": ""})
    assert without.body is not None
    assert without.body.strategy.steps == []


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("disagreement", "1,5", "must be a number"),
        ("disagreement", "-1", "must be 0 or more"),
        ("error_rate", "101", "must be 100 or less"),
        ("p99_ratio", "nan", "must be 999999 or less"),
        ("steps", "5, five", "must be a whole number"),
        ("steps", "50, 5", "must rise, as 1, 5, 25 do"),
        ("steps", "100", "must be 99 or less"),
        ("shadow.percent", "0", "must be 1 or more"),
        ("max_hours", "a day", "must be a whole number"),
        ("unknown", "1", None),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(field: str, text: str, message: str | None) -> None:
    parsed = parse({**values_of("v2", Strategy()), field: text})
    assert parsed.form.errors == ({field: message} if message else {})
    assert parsed.form.values[field] == text
