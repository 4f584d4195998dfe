"""Which version of an experiment does better: from counts of units, at any number of looks.

Each arm is compared with the control, by the goal and by each guardrail. The level is shared out over all of
these comparisons.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from modelport_evidence.history import Measured, adjusted
from modelport_evidence.means import difference_sequence, mean_sequence
from modelport_evidence.rates import Interval
from modelport_evidence.sentences import counted, difference_in_words, share_in_words
from modelport_evidence.splits import arms_split_is_off
from modelport_evidence.units import ArmCounts

State = Literal["better", "worse", "within", "unknown"]


@dataclass(frozen=True)
class Measure:
    """Of the goal, or of a guardrail, of which `tolerance` is how much worse an arm may be."""

    metric: str
    higher_is_better: bool
    tolerance: float = 0.0

    def gain(self, interval: Interval) -> Interval:
        """Return it so that more is better."""
        return interval if self.higher_is_better else Interval(-interval.upper, -interval.lower)


@dataclass(frozen=True)
class Design:
    """`weights`: arm → percent of the units. `unit`: its name, such as session."""

    control: str
    weights: Mapping[str, int]
    goal: Measure
    guardrails: Sequence[Measure] = ()
    confidence: float = 0.95
    unit: str = "session"

    @property
    def others(self) -> list[str]:
        return [arm for arm in self.weights if arm != self.control]

    @property
    def level(self) -> float:
        """Of each comparison."""
        return (1 - self.confidence) / (len(self.others) * (1 + len(self.guardrails)))


@dataclass(frozen=True)
class Comparison:
    """Of an arm with the control. `estimate`, and the interval around it: by how much its mean is greater.

    `state`: by the goal better, worse or unknown; by a guardrail within what is tolerated, worse than that,
    or unknown. `units`: of both that have a value. `variance_reduction`: the share of the variance that what
    units did before explained, so that it is in neither estimate nor interval; None: too few did anything.
    """

    arm: str
    metric: str
    state: State
    estimate: float | None
    interval: Interval
    units: int
    variance_reduction: float | None
    message: str


@dataclass(frozen=True)
class Judgment:
    """`winner`: the arm that is to have all traffic; None: it is not known yet.

    `is_harm`: the winner is the control because a guardrail is broken, which need not wait.
    `is_split_off`: then nothing can be concluded.
    """

    comparisons: tuple[Comparison, ...]
    winner: str | None
    verdict: str
    is_harm: bool = False
    is_split_off: bool = False


def judge_arms(design: Design, counts: Mapping[str, ArmCounts]) -> Judgment:
    """Judge what was counted so far."""
    counts = {arm: counts.get(arm, ArmCounts()) for arm in design.weights}
    goals = {arm: _goal(design, counts, arm) for arm in design.others}
    guards = {arm: [_guardrail(design, counts, arm, each) for each in design.guardrails] for arm in goals}
    comparisons = (*goals.values(), *(each for found in guards.values() for each in found))
    units = {arm: found.units for arm, found in counts.items()}
    if arms_split_is_off(units, design.weights):
        return Judgment(comparisons, None, _off(design, units), is_split_off=True)
    winners = [arm for arm in goals if _wins(goals[arm], guards[arm])]
    if winners:
        best = max(winners, key=lambda arm: _gain(design.goal, goals[arm]))
        return Judgment(comparisons, best, f"{goals[best].message}.")
    broken = [each for found in guards.values() for each in found if each.state == "worse"]
    harmful = {each.arm for each in broken}
    if all(goal.state == "worse" or arm in harmful for arm, goal in goals.items()):
        said = broken or list(goals.values())
        verdict = f"{'; '.join(each.message for each in said)}. {design.control} serves on."
        return Judgment(comparisons, design.control, verdict, is_harm=bool(broken))
    return Judgment(comparisons, None, _undecided(design, [*broken, *goals.values()]))


def arm_interval(design: Design, counts: ArmCounts, metric: str) -> Interval:
    """Return where the mean of an arm's units is, at the confidence of one such interval."""
    return mean_sequence(counts.measured.get(metric, Measured()).sums, 1 - design.confidence)


def _goal(design: Design, counts: Mapping[str, ArmCounts], arm: str) -> Comparison:
    return _compared(design, counts, arm, design.goal, _of_goal)


def _of_goal(gain: Interval) -> State:
    return "better" if gain.lower > 0 else "worse" if gain.upper < 0 else "unknown"


def _guardrail(design: Design, counts: Mapping[str, ArmCounts], arm: str, measure: Measure) -> Comparison:
    least = -measure.tolerance

    def state(gain: Interval) -> State:
        return "worse" if gain.upper < least else "within" if gain.lower >= least else "unknown"

    return _compared(design, counts, arm, measure, state)


def _compared(
    design: Design,
    counts: Mapping[str, ArmCounts],
    arm: str,
    measure: Measure,
    state: Callable[[Interval], State],
) -> Comparison:
    one, other = (counts[each].measured.get(measure.metric, Measured()) for each in (arm, design.control))
    pair = adjusted(one, other)
    interval = difference_sequence(pair.one, pair.other, design.level)
    mine, theirs = pair.one.mean, pair.other.mean
    estimate = None if mine is None or theirs is None else mine - theirs
    units = one.sums.count + other.sums.count
    is_share = all(each.sums.total == each.sums.squares for each in (one, other))
    said = difference_in_words(measure.metric, (arm, design.control), estimate, interval, is_share=is_share)
    return Comparison(
        arm,
        measure.metric,
        state(measure.gain(interval)),
        estimate,
        interval,
        units,
        pair.explained,
        f"{said}; {counted(units, design.unit)}",
    )


def _wins(goal: Comparison, guardrails: Sequence[Comparison]) -> bool:
    return goal.state == "better" and all(each.state == "within" for each in guardrails)


def _gain(measure: Measure, comparison: Comparison) -> float:
    estimate = comparison.estimate or 0.0
    return estimate if measure.higher_is_better else -estimate


def _undecided(design: Design, comparisons: Sequence[Comparison]) -> str:
    if not any(each.units for each in comparisons):
        return f"Nothing is known yet of any {design.unit}."
    return f"Not decided yet: {'; '.join(each.message for each in comparisons)}."


def _off(design: Design, units: Mapping[str, int]) -> str:
    total, whole = sum(units.values()), sum(design.weights.values())
    shares = " and ".join(f"{arm} {share_in_words(count / total)}" for arm, count in units.items())
    asked = " and ".join(f"{share_in_words(weight / whole)}" for weight in design.weights.values())
    return (
        f"The split is off: of {counted(total, design.unit)} {shares} were counted, where {asked} were asked "
        "for, which is not chance. An arm loses some, so they cannot be compared: look at what it fails or "
        "refuses, then start another experiment."
    )
