"""How much neighbouring rows resemble each other: means of blocks of consecutive rows.

Of independent rows, means of blocks of eight vary by an eighth of what single rows do. Where they vary more,
rows come in runs or clusters, and so many rows tell as much as fewer independent ones would. Sums add up.
"""

from collections.abc import Sequence

SIZES = (8, 32, 128)
"""Each a multiple of the one before."""
_OF_EACH = 3
"""Kept of each size: the number of whole blocks, the sum of their means, the sum of squares of these."""
SUMS = _OF_EACH * len(SIZES)


class Blocks:
    """Of one feature. `add` the score of row after row."""

    def __init__(self) -> None:
        self.sums = empty()
        self._rows = 0
        self._open = [0.0] * len(SIZES)

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
            mean = total / size
            first = at * _OF_EACH
            self.sums[first] += 1
            self.sums[first + 1] += mean
            self.sums[first + 2] += mean * mean


def empty() -> list[float]:
    return [0.0] * SUMS


def variances(sums: Sequence[float]) -> list[tuple[int, int, float]]:
    """Give (size, number of blocks, variance of their means) of each size with at least three blocks."""
    found = []
    for at, size in enumerate(SIZES):
        count, total, of_squares = sums[at * _OF_EACH : (at + 1) * _OF_EACH] or (0, 0, 0)
        if count >= 3:
            variance = max(0.0, of_squares - total * total / count) / (count - 1)
            found.append((size, int(count), variance))
    return found
