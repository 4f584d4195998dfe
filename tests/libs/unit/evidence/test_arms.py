"""Which version does better, and the sentence about it."""

from collections.abc import Mapping

import pytest
from modelport_evidence.arms import Design, Measure, arm_interval, judge_arms
from modelport_evidence.history import Measured
from modelport_evidence.means import Sums
from modelport_evidence.units import ArmCounts

_REWARD = Measure("reward", higher_is_better=True)
_ACCURACY = Measure("accuracy", higher_is_better=True, tolerance=0.02)
_TWO = Design("v1", {"v1": 50, "v2": 50}, _REWARD)


def _arm(**hits: tuple[float, int]) -> ArmCounts:
    """Of shares: how many of how many units."""
    sums = {metric: Measured(Sums(of, total, total)) for metric, (total, of) in hits.items()}
    return ArmCounts(units=max(of for _, of in hits.values()), rows=0, measured=sums)


def _judged(design: Design, **arms: ArmCounts) -> tuple[str | None, str]:
    found = judge_arms(design, arms)
    return found.winner, found.verdict


def test_the_better_arm_wins_and_the_verdict_says_by_how_much() -> None:
    found = _judged(_TWO, v1=_arm(reward=(2060, 20600)), v2=_arm(reward=(2431, 20600)))

    assert found == ("v2", "v2 converts 1.8 points more than v1 (0.8 to 2.8); 41,200 sessions.")


def test_the_control_wins_when_the_other_is_worse() -> None:
    found = _judged(_TWO, v1=_arm(reward=(2431, 20600)), v2=_arm(reward=(2060, 20600)))

    assert found == (
        "v1",
        "v2 converts 1.8 points less than v1 (0.8 to 2.8); 41,200 sessions. v1 serves on.",
    )


def test_what_is_not_sure_is_not_decided() -> None:
    found = _judged(_TWO, v1=_arm(reward=(100, 1000)), v2=_arm(reward=(110, 1000)))

    assert found == (
        None,
        "Not decided yet: v2 converts 1.0 points more than v1 (-3.3 to 5.3); 2,000 sessions.",
    )


def test_nothing_is_known_of_nothing() -> None:
    assert _judged(_TWO) == (None, "Nothing is known yet of any session.")


def test_less_is_better_where_the_goal_says_so() -> None:
    design = Design("v1", _TWO.weights, Measure("mae", higher_is_better=False), unit="caller")
    better = ArmCounts(1000, 1000, {"mae": Measured(Sums(1000, 2000.0, 4500.0))})
    worse = ArmCounts(1000, 1000, {"mae": Measured(Sums(1000, 3000.0, 9500.0))})

    found = _judged(design, v1=worse, v2=better)

    assert found == (
        "v2",
        "the mean absolute error of v2 is 1.00 smaller than that of v1 (0.90 to 1.10); 2,000 callers.",
    )


def test_rewards_that_are_not_0_or_1_are_earned() -> None:
    one = ArmCounts(1000, 1000, {"reward": Measured(Sums(1000, 2500.0, 7000.0))})
    other = ArmCounts(1000, 1000, {"reward": Measured(Sums(1000, 2000.0, 5000.0))})

    assert _judged(_TWO, v1=other, v2=one)[1].startswith("v2 earns 0.50 more than v1 (0.3")


def test_an_arm_wins_only_where_its_guardrails_are_known_to_be_within() -> None:
    design = Design("v1", _TWO.weights, _REWARD, [_ACCURACY])
    v1 = _arm(reward=(2060, 20600), accuracy=(9000, 10000))
    rewards = {"reward": (2500.0, 20600)}

    unknown = judge_arms(design, {"v1": v1, "v2": _arm(**rewards, accuracy=(90, 100))})
    within = judge_arms(design, {"v1": v1, "v2": _arm(**rewards, accuracy=(9010, 10000))})

    assert (unknown.winner, unknown.comparisons[1].state) == (None, "unknown")
    assert (within.winner, within.comparisons[1].state) == ("v2", "within")


def test_a_broken_guardrail_ends_it_for_an_arm_that_earns_more() -> None:
    design = Design("v1", _TWO.weights, _REWARD, [_ACCURACY])

    found = judge_arms(design, {
        "v1": _arm(reward=(2060, 20600), accuracy=(9000, 10000)),
        "v2": _arm(reward=(2500, 20600), accuracy=(8000, 10000)),
    })  # fmt: skip

    assert (found.winner, found.is_harm) == ("v1", True)
    assert found.verdict == (
        "v2 is 10.0 points less accurate than v1 (8.3 to 11.7); 20,000 sessions. v1 serves on."
    )


def test_of_three_the_best_wins_and_the_level_is_shared() -> None:
    design = Design("v1", {"v1": 34, "v2": 33, "v3": 33}, _REWARD)
    arms = {"v1": (1000, 10000), "v2": (1200, 10000), "v3": (1300, 10000)}

    found = judge_arms(design, {arm: _arm(reward=each) for arm, each in arms.items()})

    assert found.winner == "v3"
    assert [each.state for each in found.comparisons] == ["better", "better"]
    assert design.level == pytest.approx(0.025)


def test_the_control_wins_over_two_only_when_both_are_worse() -> None:
    design = Design("v1", {"v1": 34, "v2": 33, "v3": 33}, _REWARD)

    def winner(arms: Mapping[str, int]) -> str | None:
        return judge_arms(design, {arm: _arm(reward=(hits, 10000)) for arm, hits in arms.items()}).winner

    assert winner({"v1": 1300, "v2": 1000, "v3": 1290}) is None
    assert winner({"v1": 1300, "v2": 1000, "v3": 1010}) == "v1"


def test_nothing_is_concluded_from_a_split_that_is_off() -> None:
    found = judge_arms(_TWO, {"v1": _arm(reward=(2060, 20600)), "v2": _arm(reward=(2500, 19000))})

    assert found.is_split_off
    assert found.winner is None
    assert found.verdict.startswith(
        "The split is off: of 39,600 sessions v1 52 % and v2 48 % were counted, where 50 % and 50 % were "
    )


def test_an_arms_own_interval_is_around_its_mean() -> None:
    found = arm_interval(_TWO, _arm(reward=(2060, 20600)), "reward")

    assert found.lower < 0.1 < found.upper
    assert found.upper - found.lower < 0.02
