"""Latencies as counts in buckets that grow geometrically: they add up, and give quantiles within 5 %.

The scheme is DDSketch's (Masson, Rim, Lee: "DDSketch", VLDB 2019) with a relative accuracy of 0.045.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping

_ACCURACY = 0.045
_GROWTH = (1 + _ACCURACY) / (1 - _ACCURACY)
_SMALLEST_SECONDS = 1e-5
LAST_BUCKET = 200
"""Holds everything from about 11 minutes on."""
EDGES = tuple(_SMALLEST_SECONDS * _GROWTH**bucket for bucket in range(LAST_BUCKET))
"""The longest latency, in seconds, of each bucket but the last."""


def bucket_of(seconds: float) -> int:
    """Return the bucket, 0 to LAST_BUCKET, that a latency in seconds falls into."""
    return bisect_left(EDGES, seconds)


def seconds_of(bucket: int) -> float:
    """Return the latency, in seconds, that stands for all in the bucket."""
    return _SMALLEST_SECONDS * _GROWTH**bucket * (1 - _ACCURACY) if bucket else _SMALLEST_SECONDS


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the seconds that a `share` (0 to 1) of all counted stay within; None: nothing was counted."""
    total = sum(counts.values())
    if not total:
        return None
    wanted, seen = max(1, math.ceil(share * total)), 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= wanted:
            return seconds_of(bucket)
    raise AssertionError("a share above 1 was requested")
