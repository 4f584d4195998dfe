"""How often rows and values repeat, without keeping any.

A client that sends the same row again and again has sent one row, not thousands: `RecentRows` says which
copies count. What repeats in one feature only (an attribute of the same customer) is seen by a count sketch
of its values (Charikar, Chen, Farach-Colton, 2002): the sum of squares of the sketch estimates that of how
often each value came, and sketches add up.
"""

from collections import Counter, deque
from collections.abc import Sequence
from math import sqrt
from typing import Any

from modelport_telemetry.drift.bins import digest_of

SKETCH_CELLS = 64
WHOLE_ROWS = ""
"""In place of a feature's name, which is never empty: how often whole rows repeat."""
RECENT_ROWS = 500
_ALWAYS_COUNTED = 2
_SPREAD = 3
"""Standard deviations by which chance may exceed the usual number of copies."""
# Fibonacci hashing: the bits of small integers and short floats are all alike.
_MIX, _BITS = 0x9E3779B97F4A7C15, (1 << 64) - 1


class RecentRows:
    """The newest rows by their digests."""

    def __init__(self) -> None:
        self._order: deque[int] = deque()
        self._copies: Counter[int] = Counter()

    def counts(self, digest: int, usual: float) -> bool:
        """Say whether a row should be counted, and remember it.

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
    return [0] * SKETCH_CELLS


def note_value(sketch: list[int], value: Any) -> None:
    """Count a value. Equal ones fall into one cell in every process: 1, 1.0 and true are, "1" is another."""
    note_digest(sketch, _digest(value))


def note_digest(sketch: list[int], digest: int) -> None:
    """Count what has this digest."""
    mixed = digest * _MIX & _BITS
    sketch[mixed >> 58] += 1 if mixed >> 57 & 1 else -1


def squares(sketch: Sequence[int]) -> float:
    """Estimate the sum of squares of how often each value came, within 18 % (one standard deviation)."""
    return float(sum(cell * cell for cell in sketch))


def _digest(value: Any) -> int:
    # Python's own hash of texts differs from process to process, and before 3.12 that of None does too.
    if isinstance(value, str):
        return digest_of(value)
    return hash(value) if isinstance(value, bool | int | float) else 0
