"""Bounds for a quantile of latencies that hold at every look, from counts in buckets.

The share of latencies up to the true quantile is known, so whether a bucket's edge lies on one side of it is
a question about one rate (Howard and Ramdas: "Sequential estimation of quantiles", 2022).
"""

import math
from collections.abc import Mapping

from modelport_telemetry.usage.latency import EDGES, LAST_BUCKET

from modelport_evidence.rates import Interval, is_refuted


def quantile_interval(counts: Mapping[int, int], share: float, level: float) -> Interval:
    """Return bounds, in seconds, of what a `share` (0 to 1) of all latencies stays within.

    `counts`: by bucket of `modelport_telemetry.usage.latency`. Upper: infinite while it is not known.
    """
    total = sum(counts.values())
    lower, upper, within = 0.0, math.inf, 0
    for bucket in sorted(counts):
        # What is slower is rarer: intervals are best for small rates.
        if _is_surely(total - within, total, 1 - share, level) > 0:
            lower = EDGES[bucket - 1] if bucket else 0.0
        within += counts[bucket]
        if bucket < LAST_BUCKET and _is_surely(total - within, total, 1 - share, level) < 0:
            upper = EDGES[bucket]
            break
    return Interval(lower, upper)


def _is_surely(above: int, total: int, share: float, level: float) -> int:
    """1: more than a `share` is above; -1: less; 0: it is not sure."""
    if not is_refuted(share, above, total, level):
        return 0
    return 1 if above > share * total else -1
