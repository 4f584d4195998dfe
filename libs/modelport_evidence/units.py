"""Units of an experiment: callers or sessions. What they did is counted, not each of their requests.

Requests of one unit are no independent draws, so that intervals of requests would be too short.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from modelport_evidence.means import Sums


@dataclass(slots=True)
class _Unit:
    arm: str
    rows: int = 0
    seen: dict[str, list[float]] = field(default_factory=dict)
    """Metric → how many of its rows have a value, and their sum."""


@dataclass(frozen=True)
class ArmCounts:
    """`sums`: metric → sums over its units, of those that have a value."""

    units: int = 0
    rows: int = 0
    sums: Mapping[str, Sums] = field(default_factory=dict)


class Units:
    """Collects rows by unit. A unit that more than one arm answered is in none of them."""

    def __init__(self, *, summed: frozenset[str]) -> None:
        """summed: metrics of which a unit's value is the sum over its rows, 0 if there are none; of any
        other it is their mean, and a unit of which none is known has none."""
        self._summed = summed
        self._units: dict[str, _Unit] = {}
        self._in_several: set[str] = set()

    @property
    def in_several(self) -> int:
        """How many units more than one arm answered."""
        return len(self._in_several)

    def add(self, unit: str, arm: str, values: Mapping[str, float]) -> None:
        """Add one row. values: metric → its value in this row, where it is known."""
        known = self._units.setdefault(unit, _Unit(arm))
        if known.arm != arm:
            self._in_several.add(unit)
        known.rows += 1
        for metric, value in values.items():
            seen = known.seen.setdefault(metric, [0, 0.0])
            seen[0] += 1
            seen[1] += value

    def counted(self, metrics: frozenset[str]) -> dict[str, ArmCounts]:
        """Return what each arm has."""
        by_arm: dict[str, list[_Unit]] = defaultdict(list)
        for name, unit in self._units.items():
            if name not in self._in_several:
                by_arm[unit.arm].append(unit)
        return {
            arm: ArmCounts(
                units=len(units),
                rows=sum(each.rows for each in units),
                sums={metric: self._sums(metric, units) for metric in metrics},
            )
            for arm, units in by_arm.items()
        }

    def _sums(self, metric: str, units: list[_Unit]) -> Sums:
        value = self._total if metric in self._summed else self._mean
        return Sums.of(each for unit in units if (each := value(metric, unit)) is not None)

    @staticmethod
    def _total(metric: str, unit: _Unit) -> float | None:
        return unit.seen[metric][1] if metric in unit.seen else 0.0

    @staticmethod
    def _mean(metric: str, unit: _Unit) -> float | None:
        seen = unit.seen.get(metric)
        return seen[1] / seen[0] if seen else None
