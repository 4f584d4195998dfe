"""How often rows and values repeat, and how much neighboring rows resemble each other, without
keeping any.
"""

from collections import Counter, deque
from collections.abc import Sequence
from math import sqrt
from typing import Any

from modelport_telemetry.drift.bins import digest_of

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
        """Return the sums since the last time; blocks that are open go on."""
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
    """Return the sums of no blocks, `SUMS` zeros; a new list each time."""
    return [0.0] * SUMS


def variances(sums: Sequence[float]) -> list[tuple[int, int, float]]:
    """Return (size, number of differences, variance of the blocks' means) of each size with at least two."""
    found = []
    for at, size in enumerate(SIZES):
        count, of_squares = sums[at * _OF_EACH : (at + 1) * _OF_EACH] or (0, 0)
        if count >= 2:
            found.append((size, int(count), of_squares / (2 * count)))
    return found


SKETCH_CELLS = 64
WHOLE_ROWS = ""
"""In place of a feature's name, which is never empty: how often whole rows repeat."""
RECENT_ROWS = 500
_ALWAYS_COUNTED = 2
_SPREAD = 3
"""Standard deviations by which chance may exceed the usual number of copies."""
_NUMBERS = (bool, int, float)
# Fibonacci hashing: the bits of small integers and short floats are all alike.
_MIX, _BITS = 0x9E3779B97F4A7C15, (1 << 64) - 1


class RecentRows:
    """The newest rows by their digests."""

    def __init__(self) -> None:
        self._order: deque[int] = deque()
        self._copies: Counter[int] = Counter()

    def counts(self, digest: int, usual: float) -> bool:
        """Return whether a row should be counted, and remember it.

        `digest`: equal for equal rows. `usual`: the largest share that such a row may have in the reference.
        """
        expected = RECENT_ROWS * usual
        seen = self._copies[digest]
        self._remember(digest)
        return seen <= expected + _SPREAD * sqrt(expected) + _ALWAYS_COUNTED

    def _remember(self, digest: int) -> None:
        self._copies[digest] += 1
        self._order.append(digest)
        if len(self._order) > RECENT_ROWS:
            oldest = self._order.popleft()
            self._copies[oldest] -= 1
            if not self._copies[oldest]:
                del self._copies[oldest]


def empty_sketch() -> list[int]:
    """Return the sketch of no values, for `note_digest` to change; a new list each time."""
    return [0] * SKETCH_CELLS


def note_digest(sketch: list[int], digest: int) -> None:
    """Count what has this digest."""
    mixed = digest * _MIX & _BITS
    sketch[mixed >> 58] += 1 if mixed >> 57 & 1 else -1


def squares(sketch: Sequence[int]) -> float:
    """Estimate the sum of squares of how often each value came, within 18 % (one standard deviation)."""
    return float(sum(cell * cell for cell in sketch))


def digest_of_value(value: Any) -> int:
    """Return the same for equal values in every process: 1, 1.0 and true are equal, "1" is another."""
    # Python's own hash of texts differs from process to process, and before 3.12 that of None does too.
    if isinstance(value, str):
        return digest_of(value)
    return hash(value) if isinstance(value, _NUMBERS) else 0
