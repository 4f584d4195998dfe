"""How many independent rows are worth as much as rows that come in runs, or from a few senders."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from modelport_telemetry.drift.repetition import SKETCH_CELLS, squares, variances

SELDOM = 0.02
"""A chance that two rows have the same value, below which repetition means something. Above, as with a few
categories, it is what the feature is like."""
_SURE = 2.58
"""Of the normal distribution: that blocks vary more than chance has it must be sure to 99.5 %."""
_CONCLUSIVE_SIZE = 16
"""Blocks up to this size show whether rows depend on each other: a step, which is drift, shows in larger."""
_SKETCH_ERROR = sqrt(2 / SKETCH_CELLS)


@dataclass(frozen=True, slots=True)
class Runs:
    """By how much blocks' means of one feature vary more than those of independent rows would.

    `ratios`: (size of the blocks, number of differences between them, that factor).
    """

    ratios: tuple[tuple[int, int, float], ...] = ()

    @property
    def certain(self) -> bool:
        return any(ratio > _most_by_chance(count * 2 / 3) for count, ratio in self._conclusive)

    def dependence(self, *, others: bool) -> float:
        """Return how many times fewer rows are independent; 1: all of them are.

        `others`: another feature is certain, and a client that sends runs of rows sends runs of all their
        features: a hint is enough.
        """
        if not (
            self.certain or (others and any(ratio > 1 + _error(count) for count, ratio in self._conclusive))
        ):
            return 1.0
        # A few blocks may understate it: what runs longer than they do cannot be seen.
        return max(1.0, *(ratio * (1 + _error(count)) for _, count, ratio in self.ratios))

    @property
    def _conclusive(self) -> list[tuple[int, float]]:
        return [(count, ratio) for size, count, ratio in self.ratios if size <= _CONCLUSIVE_SIZE]


def runs_of(cells: Sequence[int], scores: Sequence[float], sums: Sequence[float]) -> Runs:
    """`scores` of the cells and `sums`: as `modelport_telemetry.drift.repetition` has them."""
    variance = _variance(cells, scores)
    if not variance:
        return Runs()
    return Runs(tuple((size, count, size * of_means / variance) for size, count, of_means in variances(sums)))


def collisions(sketch: Sequence[int], rows: int) -> float:
    """Estimate the chance that two of the rows have the same value."""
    return max(0.0, squares(sketch) - rows) / max(1, rows * (rows - 1))


def copies(sketch: Sequence[int], rows: int, repetition: float) -> float:
    """Return how often, on average of rows, a value came because it was repeated; 1: no more than by chance.

    `repetition`: the chance that two rows of the reference have the same value.
    """
    expected = rows + rows * (rows - 1) * repetition
    if not any(sketch) or repetition > SELDOM or squares(sketch) < expected * (1 + 4 * _SKETCH_ERROR):
        return 1.0
    return max(1.0, 1 + (rows - 1) * (collisions(sketch, rows) - repetition))


def _error(differences: int) -> float:
    """The standard error of a ratio, as a part of it."""
    return sqrt(3 / differences)


def _most_by_chance(degrees: float) -> float:
    """A quantile of chi-square over its degrees of freedom (Wilson and Hilferty, 1931)."""
    spread = 2 / (9 * degrees)
    return (1 - spread + _SURE * sqrt(spread)) ** 3


def _variance(cells: Sequence[int], scores: Sequence[float]) -> float:
    rows = sum(cells)
    if not rows:
        return 0.0
    mean = sum(cell * score for cell, score in zip(cells, scores, strict=True)) / rows
    return sum(cell * (score - mean) ** 2 for cell, score in zip(cells, scores, strict=True)) / rows
