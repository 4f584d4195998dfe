"""What a look at an experiment changes, from what was counted and the clock."""

import math
from datetime import datetime, timedelta

from modelport_evidence.arms import Comparison, Design, Judgment, arm_interval, judge_arms
from modelport_evidence.history import Measured
from modelport_evidence.units import ArmCounts
from modelport_http.wording import counted as in_words

from modelport_control_api.experiments.counting import Counted
from modelport_control_api.experiments.schemas import (
    ArmAnswer,
    ComparisonAnswer,
    Evidence,
    Look,
    PastInterval,
    Terms,
)
from modelport_control_api.registry.tables import ExperimentRow

# Between two looks that are remembered: so long, or so small a share of the experiment so far.
_REMEMBERED_AFTER = timedelta(seconds=60)
_REMEMBERED_SHARE = 50


def note_look(experiment: ExperimentRow, terms: Terms, counted: Counted, now: datetime) -> None:
    """Write down what was found, and whether it is decided. Only of one that is running."""
    design = terms.judged(experiment.arms)
    judgment = judge_arms(design, counted.arms)
    evidence = _evidence(design, judgment, counted, now)
    experiment.evidence = evidence.model_dump(mode="json")
    _remember(experiment, design, evidence)
    started = experiment.started_at or now
    may_decide = now >= started + timedelta(days=terms.min_days)
    experiment.verdict = judgment.verdict
    if judgment.winner is not None and (may_decide or judgment.is_harm):
        experiment.state, experiment.winner, experiment.decided_at = "decided", judgment.winner, now
    elif now >= started + timedelta(days=terms.max_days):
        experiment.state, experiment.decided_at = "inconclusive", now
        experiment.verdict = f"Inconclusive after {in_words(terms.max_days, 'day')}. {judgment.verdict}"
    elif judgment.winner is not None:
        earliest = started + timedelta(days=terms.min_days)
        experiment.verdict = (
            f"So far: {judgment.verdict} It is decided on {earliest.day} {earliest:%B %Y, %H:%M} UTC "
            f"at the earliest (min_days: {terms.min_days})."
        )


def _evidence(design: Design, judgment: Judgment, counted: Counted, now: datetime) -> Evidence:
    return Evidence(
        at=now,
        arms=[_arm(design, arm, counted.arms.get(arm, ArmCounts())) for arm in design.weights],
        comparisons=[_comparison(each) for each in judgment.comparisons],
        split_is_off=judgment.is_split_off,
        units_in_several=counted.units_in_several,
        rows_without_unit=counted.rows_without_unit,
    )


def _arm(design: Design, arm: str, counts: ArmCounts) -> ArmAnswer:
    interval = arm_interval(design, counts, design.goal.metric)
    measured = counts.measured.get(design.goal.metric, Measured()).sums
    return ArmAnswer(
        version=arm,
        weight=design.weights[arm],
        units=counts.units,
        rows=counts.rows,
        measured=measured.count,
        mean=measured.mean,
        lower=_known(interval.lower),
        upper=_known(interval.upper),
    )


def _comparison(found: Comparison) -> ComparisonAnswer:
    return ComparisonAnswer.model_validate({
        "version": found.arm,
        "metric": found.metric,
        "state": found.state,
        "estimate": found.estimate,
        "lower": _known(found.interval.lower),
        "upper": _known(found.interval.upper),
        "units": found.units,
        "variance_reduction": found.variance_reduction,
        "message": found.message,
    })  # fmt: skip


def _remember(experiment: ExperimentRow, design: Design, evidence: Evidence) -> None:
    """One after another at first, then ever more seldom: some hundred of months are as good as all."""
    looks = experiment.looks or []
    if looks and experiment.started_at is not None:
        last = Look.model_validate(looks[-1]).at
        if evidence.at - last < max(_REMEMBERED_AFTER, (last - experiment.started_at) / _REMEMBERED_SHARE):
            return
    goals = [each for each in evidence.comparisons if each.metric == design.goal.metric]
    look = Look(
        at=evidence.at,
        units=sum(each.units for each in evidence.arms),
        intervals=[PastInterval.model_validate(each, from_attributes=True) for each in goals],
    )
    experiment.looks = [*looks, look.model_dump(mode="json")]


def _known(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
