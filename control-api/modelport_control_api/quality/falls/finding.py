"""Whether a version predicts worse on a day than on all days before, for certain and by enough to matter.

Pure. A day is compared at any number of looks, as labels come in; the level of all days together is shared
out so that the first days have most of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from modelport_evidence.means import Sums, difference_sequence
from modelport_http.wording import counted

LEVEL = 0.05
LEAST_LABELS = 100
"""Of a day, and of the days before."""
# Certain to have fallen by less is nothing that anybody would act on.
_LEAST_POINTS = 0.01
_LEAST_SHARE = 0.05


@dataclass(frozen=True)
class Fall:
    """`metric`: accuracy, or mae of numbers. `lower` and `upper` hold by how much it changed."""

    day: date
    metric: str
    before: float
    now: float
    lower: float
    upper: float
    labels: int

    def summary(self, version: str) -> str:
        """Say it in a sentence."""
        rows = f"{counted(self.labels, 'row')} of {self.day:%d %B %Y}"
        if self.metric == "accuracy":
            before, now = _percent(self.before), _percent(self.now)
            return f"{version} was right about {now} of {rows}, of those of the days before about {before}."
        before, now = f"{self.before:.4g}", f"{self.now:.4g}"
        return f"{version} was off by {now} on average in {rows}, on the days before by {before}."


def falls_of(metric: str, days: Mapping[date, Sums]) -> list[Fall]:
    """Return the days on which it fell. days: what the rows of each were worth by the metric."""
    found, before, number = [], Sums(), 0
    for day in sorted(days):
        sums = days[day]
        if min(sums.count, before.count) >= LEAST_LABELS:
            number += 1
            fall = _fall(metric, day, sums, before, LEVEL / (number * (number + 1)))
            found += [fall] if fall else []
        before = before + sums
    return found


def _fall(metric: str, day: date, now: Sums, before: Sums, level: float) -> Fall | None:
    interval = difference_sequence(now, before, level)
    if now.mean is None or before.mean is None:
        return None
    is_worse = (
        interval.upper < -_LEAST_POINTS
        if metric == "accuracy"
        else interval.lower > _LEAST_SHARE * before.mean
    )
    if not is_worse:
        return None
    return Fall(day, metric, before.mean, now.mean, interval.lower, interval.upper, now.count)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
