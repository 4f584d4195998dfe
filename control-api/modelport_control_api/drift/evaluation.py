"""A window of live counts against the reference: which features drift. Pure."""

import math
from collections.abc import Iterable, Sequence

import msgspec
from modelport_edge.drift.repetition import effective_rows

from modelport_control_api.drift.comparison import compare
from modelport_control_api.drift.profile import ColumnProfile
from modelport_control_api.drift.schemas import Thresholds
from modelport_control_api.drift.statistics import holm
from modelport_control_api.drift.verdicts import Verdict
from modelport_control_api.drift.was_and_is import describe


class Counted(msgspec.Struct):
    """Live rows in a reference's cells, of one minute or of many; `add` more to it."""

    rows: int = 0
    features: dict[str, list[int]] = {}
    predictions: dict[str, int] = {}
    sketch: list[int] = []

    def add(self, other: "Counted") -> None:
        self.rows += other.rows
        for name, cells in other.features.items():
            self.features[name] = _sum(self.features.get(name, []), cells)
        for key, count in other.predictions.items():
            self.predictions[key] = self.predictions.get(key, 0) + count
        self.sketch = _sum(self.sketch, other.sketch)


def total(parts: Iterable[Counted]) -> Counted:
    whole = Counted()
    for part in parts:
        whole.add(part)
    return whole


def evaluate(
    columns: Sequence[ColumnProfile],
    live: Counted,
    limits: Thresholds,
    *,
    reference_rows: int,
    repetition: float,
) -> list[Verdict]:
    """Give a verdict on each feature that rows were counted of, the worst first."""
    watched = [column for column in columns if sum(live.features.get(column.name, ()))]
    usual = max(repetition, _by_chance(watched))
    independent = effective_rows(live.rows, live.sketch, usual)
    compared = [
        compare(column.bins, column.cells, live.features[column.name], reference_rows, independent)
        for column in watched
    ]
    adjusted = holm([each.p_value for each in compared])
    verdicts = [
        _verdict(column, live, each.psi, p_value, limits)
        for column, each, p_value in zip(watched, compared, adjusted, strict=True)
    ]
    return sorted(verdicts, key=lambda verdict: (not verdict.drifts, -verdict.psi, verdict.p_value))


def _verdict(column: ColumnProfile, live: Counted, psi: float, p_value: float, limits: Thresholds) -> Verdict:
    drifts = p_value < limits.alpha and psi > limits.psi_threshold
    summary = describe(column, live.features[column.name]) if drifts else ""
    return Verdict(column.name, drifts, round(psi, 4), p_value, summary)


def _by_chance(columns: Sequence[ColumnProfile]) -> float:
    """The chance that two rows share all bins, if features were independent: the least that is usual."""
    return math.prod(sum((cell / sum(column.cells)) ** 2 for cell in column.cells) for column in columns)


def _sum(one: Sequence[int], other: Sequence[int]) -> list[int]:
    if len(one) != len(other):
        # A mapping of counts: one is new.
        return list(one or other)
    return [a + b for a, b in zip(one, other, strict=True)]
