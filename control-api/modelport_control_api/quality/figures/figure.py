"""One number with what is known of how far off it may be."""

from typing import NamedTuple, Self

from modelport_control_api.quality.figures.intervals import Interval


class Figure(NamedTuple):
    """`lower`, `upper`: of 95 samples in 100 such an interval holds the truth; None: too little is known."""

    value: float
    lower: float | None
    upper: float | None
    rows: int

    @classmethod
    def of(cls, value: float, interval: Interval, rows: int) -> Self:
        lower, upper = interval or (None, None)
        return cls(value, lower, upper, rows)


Figures = dict[str, Figure]
"""By the metrics' names."""
