"""Units of an experiment: callers or sessions. What they did is counted, not each of their requests.

Requests of one unit are no independent draws, so that intervals of requests would be too short.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from modelport_evidence.history import History, Measured
from modelport_evidence.means import Sums


@dataclass(slots=True)
class _Unit:
    arm: str
    rows: int = 0
    seen: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Metric → how many of its rows have a value, and their sum."""


@dataclass(frozen=True)
class ArmCounts:
    """`measured`: metric → what its units have of it, of those that have a value."""

    units: int = 0
    rows: int = 0
    measured: Mapping[str, Measured] = field(default_factory=dict)


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
            rows, total = known.seen.get(metric, (0, 0.0))
            known.seen[metric] = (rows + 1, total + value)

    def counted(self, metrics: frozenset[str], before: "Units") -> dict[str, ArmCounts]:
        """Return what each arm has. before: the rows from before the units were split into arms."""
        by_arm: dict[str, list[str]] = defaultdict(list)
        for name, unit in self._units.items():
            if name not in self._in_several:
                by_arm[unit.arm].append(name)
        return {
            arm: ArmCounts(
                units=len(names),
                rows=sum(self._units[name].rows for name in names),
                measured={metric: self._measured(metric, names, before) for metric in metrics},
            )
            for arm, names in by_arm.items()
        }

    def _measured(self, metric: str, names: list[str], before: "Units") -> Measured:
        values = {name: value for name in names if (value := self._value(metric, name)) is not None}
        history = (
            (known, value)
            for name, value in values.items()
            if (known := before._value(metric, name)) is not None
        )
        return Measured(Sums.of(values.values()), History.of(history))

    def _value(self, metric: str, name: str) -> float | None:
        unit = self._units.get(name)
        if unit is None:
            return None
        rows, total = unit.seen.get(metric, (0, 0.0))
        if metric in self._summed:
            return total
        return total / rows if rows else None
