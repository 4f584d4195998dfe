"""Numbers of experiments in words."""

import math
from collections.abc import Callable

from modelport_evidence.rates import Interval

_Both = tuple[str, str]


def counted(number: int, unit: str) -> str:
    """Return both, such as 1,200 sessions."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def share_in_words(share: float) -> str:
    """Return it in percent, such as 49.8 %."""
    return f"{100 * share:.3g} %"


def difference_in_words(
    metric: str, arms: _Both, estimate: float | None, interval: Interval, *, is_share: bool
) -> str:
    """Say how an arm compares with another, such as: v2 converts 1.8 points more than v1 (0.6 to 3.0).

    is_share: each value is 0 or 1.
    """
    if estimate is None:
        return f"nothing is known yet of {arms[0]} beside {arms[1]} by {_NAMES.get(metric, metric)}"
    return _sentence(metric, is_share)(arms, estimate, interval)


def _sentence(metric: str, is_share: bool) -> "_Sentence":
    if metric == "reward":
        return _converts if is_share else _earns
    return _is_accurate if metric == "accuracy" else _with_name(_NAMES.get(metric, metric))


def _converts(arms: _Both, estimate: float, interval: Interval) -> str:
    by, around = _by(estimate, interval, 100)
    return f"{arms[0]} converts {by} points {_more(estimate)} than {arms[1]}{around}"


def _earns(arms: _Both, estimate: float, interval: Interval) -> str:
    by, around = _by(estimate, interval, 1)
    return f"{arms[0]} earns {by} {_more(estimate)} than {arms[1]}{around}"


def _is_accurate(arms: _Both, estimate: float, interval: Interval) -> str:
    by, around = _by(estimate, interval, 100)
    return f"{arms[0]} is {by} points {_more(estimate)} accurate than {arms[1]}{around}"


def _with_name(name: str) -> "_Sentence":
    def said(arms: _Both, estimate: float, interval: Interval) -> str:
        by, around = _by(estimate, interval, 1)
        direction = "greater" if estimate >= 0 else "smaller"
        return f"the {name} of {arms[0]} is {by} {direction} than that of {arms[1]}{around}"

    return said


def _by(estimate: float, interval: Interval, scale: float) -> tuple[str, str]:
    """Return how much, and the interval in parentheses, both in the direction of the estimate."""
    if not math.isfinite(interval.upper - interval.lower):
        return _number(scale * abs(estimate), scale * abs(estimate)), ""
    lower, upper = (interval.lower, interval.upper) if estimate >= 0 else (-interval.upper, -interval.lower)
    width = scale * (upper - lower)
    by, *bounds = (_number(scale * each, width) for each in (abs(estimate), lower, upper))
    return by, f" ({bounds[0]} to {bounds[1]})"


def _number(value: float, width: float) -> str:
    """With as many digits as an interval so wide deserves."""
    digits = max(0, 1 - math.floor(math.log10(width))) if width else 0
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if not float(text.replace(",", "")) else text


def _more(estimate: float) -> str:
    return "more" if estimate >= 0 else "less"


_Sentence = Callable[[_Both, float, Interval], str]
_NAMES = {
    "mae": "mean absolute error",
    "mse": "mean squared error",
    "log_loss": "log loss",
    "brier": "Brier score",
    "bias": "bias",
}
