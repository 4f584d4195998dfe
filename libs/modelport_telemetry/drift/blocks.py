"""How much neighbouring rows resemble each other: means of blocks of consecutive rows.

Of independent rows, means of blocks of eight vary by an eighth of what single rows do. Where they vary more,
rows come in runs or clusters, and so many rows tell as much as fewer independent ones would. How much they
vary is told by the difference of each from the one before (von Neumann, 1941): a step from one level to
another, which is drift and no dependence, makes a single large one. Sums add up.
"""

from collections.abc import Sequence

SIZES = (8, 16, 32, 64, 128)
"""Each a multiple of the one before."""
_OF_EACH = 2
"""Kept of each size: how many blocks had one before them, the sum of squares of these differences."""
SUMS = _OF_EACH * len(SIZES)


class Blocks:
    """Of one feature. `add` the score of row after row."""

    def __init__(self) -> None:
        self.sums = empty()
        self._rows = 0
        self._open = [0.0] * len(SIZES)
        self._last: list[float | None] = [None] * len(SIZES)

    def add(self, score: float) -> None:
        self._rows += 1
        self._open[0] += score
        if self._rows % SIZES[0] == 0:
            self._close()

    def take(self) -> list[float]:
        """Give the sums since the last time; blocks that are open go on."""
        sums, self.sums = self.sums, empty()
        return sums

    def _close(self) -> None:
        for at, size in enumerate(SIZES):
            if self._rows % size:
                return
            total, self._open[at] = self._open[at], 0.0
            if at + 1 < len(SIZES):
                self._open[at + 1] += total
            self._note(at, total / size)

    def _note(self, at: int, mean: float) -> None:
        last, self._last[at] = self._last[at], mean
        if last is not None:
            self.sums[at * _OF_EACH] += 1
            self.sums[at * _OF_EACH + 1] += (mean - last) ** 2


def empty() -> list[float]:
    return [0.0] * SUMS


def variances(sums: Sequence[float]) -> list[tuple[int, int, float]]:
    """Give (size, number of differences, variance of the blocks' means) of each size with at least two."""
    found = []
    for at, size in enumerate(SIZES):
        count, of_squares = sums[at * _OF_EACH : (at + 1) * _OF_EACH] or (0, 0)
        if count >= 2:
            found.append((size, int(count), of_squares / (2 * count)))
    return found
