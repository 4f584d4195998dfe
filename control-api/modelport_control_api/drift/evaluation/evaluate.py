"""A window of live counts against the reference: which features drift. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec
from modelport_telemetry.drift.bins import FIRST_BIN, MISSING, UNKNOWN, CategoryBins
from modelport_telemetry.drift.repetition import SUMS, WHOLE_ROWS

from modelport_control_api.drift.effective import SELDOM, Runs, collisions, copies, runs_of
from modelport_control_api.drift.evaluation.comparison import Compared, Finding, Sides, compare, one_value
from modelport_control_api.drift.evaluation.effects import Effects, expected_change
from modelport_control_api.drift.evaluation.explanations import describe
from modelport_control_api.drift.evaluation.seasons import at_hours
from modelport_control_api.drift.profiles.profile import ColumnProfile, Matched, scores
from modelport_control_api.drift.records import Change, FeatureResult
from modelport_control_api.drift.schemas import Thresholds
from modelport_control_api.drift.statistics import holm

_Number = TypeVar("_Number", int, float)
_Key = TypeVar("_Key")

_UNKNOWN_EFFECTS: Effects = {}
_STUCK = 0.9
"""From this share of copies on, rows may be of a sender that is stuck."""
_OF_A_FEW = 0.1
"""The chance that two rows that count are equal, from which on they are of a few: of up to ten."""


class Counted(msgspec.Struct):
    """Live rows in a reference's cells, of one minute or of many; `add` more to it.

    `counted`: rows without needless copies (`modelport_telemetry.drift.repetition`).
    `hours`: of each, as `profiles.times` has them.
    """

    rows: int = 0
    counted: int = 0
    features: dict[str, list[int]] = {}
    predictions: dict[str, int] = {}
    values: dict[str, list[int]] = {}
    blocks: dict[str, list[float]] = {}
    hours: dict[int, int] = {}

    def add(self, other: "Counted") -> None:
        """Add the other's counts to these. Raises `ValueError` for a feature with another number of cells."""
        self.rows += other.rows
        self.counted += other.counted
        _add_lists(self.features, other.features)
        _add_lists(self.values, other.values)
        _add_blocks(self.blocks, other.blocks)
        _add_counts(self.predictions, other.predictions)
        _add_counts(self.hours, other.hours)


def total(parts: Iterable[Counted]) -> Counted:
    """Return the counts of all parts together."""
    whole = Counted()
    for part in parts:
        whole.add(part)
    return whole


def evaluate(
    matched: Matched,
    live: Counted,
    limits: Thresholds,
    *,
    reference_rows: int,
    effects: Effects = _UNKNOWN_EFFECTS,
) -> list[FeatureResult]:
    """Return the result of each feature that rows were counted of, the worst first: of those that drift what
    lowers expected performance most, and what nothing is known of by its index.
    """
    watched = [column for column in matched.columns if column.name in live.features]
    window = _Window.of(live, watched, matched.repetition)
    compared = [_compare(column, window, limits, reference_rows) for column in watched]
    adjusted = holm([each.p_value for each in compared])
    results = [
        _result(
            column,
            live.features[column.name],
            each,
            p_value,
            _change(each, p_value, limits.alpha, len(watched)),
        )
        for column, each, p_value in zip(watched, compared, adjusted, strict=True)
    ]
    pairs = zip(results, watched, strict=True)
    known = [replace(each, expected_change=_effect(column, live, effects)) for each, column in pairs]
    return sorted(known, key=_rank)


def _rank(result: FeatureResult) -> tuple[Any, ...]:
    change = result.expected_change if result.drifts else None
    return (not result.drifts, round(change or 0.0, 3), -result.psi, result.p_value)


def _effect(column: ColumnProfile, live: Counted, effects: Effects) -> float | None:
    right = effects.get(column.name)
    if right is None:
        return None
    expected, _ = _reference_of(column, live, 0)
    return expected_change(right, expected, live.features[column.name])


def _reference_of(column: ColumnProfile, live: Counted, rows: int) -> tuple[Sequence[float], float]:
    """Return the reference's cells, of the same hours if it knows them, and of how many `rows` they are."""
    return at_hours(column, live.hours) or (_expected(column), float(rows))


@dataclass(frozen=True, slots=True)
class _Window:
    """`live`, and how its rows depend on each other: `copies` of whole rows, `runs` of each feature."""

    live: Counted
    copies: float
    runs: Mapping[str, Runs]

    @classmethod
    def of(cls, live: Counted, watched: Sequence[ColumnProfile], repetition: float) -> "_Window":
        runs = {
            each.name: runs_of(live.features[each.name], scores(each), live.blocks.get(each.name, ()))
            for each in watched
        }
        return cls(live, copies(live.values.get(WHOLE_ROWS, []), live.counted, repetition), runs)

    def dependence(self, name: str) -> float:
        others = any(runs.certain for other, runs in self.runs.items() if other != name)
        return self.runs[name].dependence(others=others)


def _compare(column: ColumnProfile, window: _Window, limits: Thresholds, reference_rows: int) -> Compared:
    live = window.live
    cells, sketch = live.features[column.name], live.values.get(column.name, [])
    if stuck := _is_stuck(column, live):
        return Compared(0.0, (stuck,))
    if not sum(cells):
        return Compared(0.0, ())
    runs = window.dependence(column.name)
    expected, n = _reference_of(column, live, reference_rows)
    m = sum(cells) / max(runs, window.copies, copies(sketch, sum(cells), column.repetition))
    # The reference's rows were seen in the same world, though perhaps in another order.
    sides = Sides(expected, cells, max(1.0, n / runs), max(1.0, m))
    found = compare(column.bins, sides, limits.psi_threshold)
    constant = one_value(sketch, sum(cells), column.repetition)
    return Compared(found.psi, (*found.findings, constant)) if constant else found


def _is_stuck(column: ColumnProfile, live: Counted) -> Finding | None:
    """Find that all rows are copies of a few, where the reference's rows differ.

    Beside a health check there are others: those that count are then not copies of each other.
    """
    copied = 1 - live.counted / max(1, live.rows)
    if copied <= _STUCK or column.repetition > SELDOM:
        return None
    if live.counted and collisions(live.values.get(WHOLE_ROWS, []), live.counted) < _OF_A_FEW:
        return None
    return Finding(0.0, copied / _STUCK, f"{100 * copied:.0f} % of rows are copies of a few")


def _expected(column: ColumnProfile) -> list[float]:
    """The reference's cells, with as many unknown categories as new rows will have."""
    cells: list[float] = list(column.cells)
    if not isinstance(column.bins, CategoryBins):
        return cells
    rows, known = sum(cells), sum(cells[FIRST_BIN:])
    unknown = max(cells[UNKNOWN], column.unknown * rows)
    left = max(0.0, rows - cells[MISSING] - unknown)
    return [cells[MISSING], unknown, *(cell * left / known for cell in cells[FIRST_BIN:])]


def _result(
    column: ColumnProfile, cells: Sequence[int], found: Compared, p_value: float, change: Change
) -> FeatureResult:
    summary = describe(column, cells, found.words) if change != "none" else ""
    return FeatureResult(column.name, change == "large", round(found.psi, 4), p_value, summary, change)


def _change(found: Compared, p_value: float, alpha: float, features: int) -> Change:
    if p_value >= alpha:
        return "none"
    return "large" if found.matters(alpha / features) else "small"


def _add_lists(whole: dict[str, list[_Number]], part: Mapping[str, list[_Number]]) -> None:
    for name, numbers in part.items():
        before = whole.get(name)
        whole[name] = [a + b for a, b in zip(before, numbers, strict=True)] if before else list(numbers)


def _add_blocks(whole: dict[str, list[float]], part: Mapping[str, list[float]]) -> None:
    """What another release has counted in blocks of other sizes is left out."""
    _add_lists(whole, {name: sums for name, sums in part.items() if len(sums) == SUMS})


def _add_counts(whole: dict[_Key, int], part: Mapping[_Key, int]) -> None:
    for key, count in part.items():
        whole[key] = whole.get(key, 0) + count
