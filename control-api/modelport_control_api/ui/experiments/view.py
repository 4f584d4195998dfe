"""An experiment as its page shows it: arms, comparisons, and how the intervals came to be. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from modelport_http.wording import counted

from modelport_control_api.experiments.schemas import (
    ComparisonAnswer,
    ExperimentAnswer,
    ExperimentSummary,
)
from modelport_control_api.ui.quality.view import NAMES

_SHARES = {"accuracy"}
# Of a unit, where quality has the mean over rows.
_OWN_NAMES = {"reward": "Reward", "mse": "Mean squared error"}


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    version: str
    metric: str
    state: str
    difference: str
    between: str
    units: str
    taken_out: str
    message: str


@dataclass(frozen=True, slots=True)
class Ends:
    """When a winner may be named, and when it is over without one. None: that is past, or not known yet."""

    earliest: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """`x`: when it was looked, in seconds since 1970 UTC."""

    title: str
    x: list[int]
    series: list[dict[str, Any]]


def is_over(experiment: ExperimentSummary) -> bool:
    """Return whether it has ended. One that is inconclusive goes on sharing the traffic until it is ended."""
    return experiment.ended_at is not None


def ends_of(experiment: ExperimentSummary) -> Ends:
    """Return when it will be decided."""
    started = experiment.started_at
    if started is None or experiment.state != "running":
        return Ends()
    return Ends(started + timedelta(days=experiment.min_days), started + timedelta(days=experiment.max_days))


def comparisons_of(experiment: ExperimentSummary) -> list[ComparisonRow]:
    """Return what is known of each version beside the control, by each metric."""
    found = experiment.evidence.comparisons if experiment.evidence else []
    return [_row(each, experiment.unit) for each in found]


def charts_of(experiment: ExperimentAnswer) -> list[Chart]:
    """Return the difference of the goal at each look, between the ends of its interval, for each version that
    was compared at two looks: a lone point has no scale.
    """
    others = [name for name in experiment.arms if name != experiment.control]
    charts = [_chart(experiment, name) for name in others]
    return [chart for chart in charts if len(chart.x) > 1]


def _chart(experiment: ExperimentAnswer, version: str) -> Chart:
    past = [
        (look.at, each)
        for look in experiment.looks
        for each in look.intervals
        if each.version == version and each.estimate is not None
    ]
    lines = (
        ("Difference", [each.estimate for _, each in past], 1),
        ("Surely more than", [each.lower for _, each in past], 4),
        ("Surely less than", [each.upper for _, each in past], 4),
    )
    return Chart(
        f"{version} beside {experiment.control}: {metric_name(experiment.goal.metric).lower()}",
        [int(at.timestamp()) for at, _ in past],
        [{"label": label, "values": values, "color": color} for label, values, color in lines],
    )


def metric_name(metric: str) -> str:
    """Return it as people read it."""
    return _OWN_NAMES.get(metric) or NAMES[metric]


def _row(found: ComparisonAnswer, unit: str) -> ComparisonRow:
    is_known = None not in (found.lower, found.upper)
    return ComparisonRow(
        found.version,
        metric_name(found.metric),
        found.state,
        _text(found.metric, found.estimate),
        f"{_text(found.metric, found.lower)} to {_text(found.metric, found.upper)}" if is_known else "–",
        counted(found.units, unit),
        _taken_out(found, unit),
        found.message,
    )


def _taken_out(found: ComparisonAnswer, unit: str) -> str:
    """Say what history did; empty: nothing."""
    if found.variance_reduction is None:
        return ""
    share = f"{100 * found.variance_reduction:.0f} %"
    return f"{share} of the variance is taken out: what {unit}s did before the experiment explains it."


def _text(metric: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value:+.3g} points" if metric in _SHARES else f"{value:+.4g}"
