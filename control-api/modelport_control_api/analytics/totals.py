"""From sums to what is shown. Pure."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, reduce
from itertools import accumulate
from math import ceil
from operator import add, sub
from typing import NamedTuple, TypedDict, TypeVar

from modelport_telemetry.usage.latency import LAST_BUCKET, seconds_of

from modelport_control_api.analytics.plan import HALF_DAY, Move

Key = TypeVar("Key")
Histogram = Sequence[int]
"""Requests of each bucket of `modelport_telemetry.usage.latency`, 0 to LAST_BUCKET."""


class Sums(NamedTuple):
    """As the ledger's totals add up. `errors`: 5xx, `refused`: 4xx."""

    requests: int
    errors: int
    refused: int
    hits: int
    misses: int
    latencies: Histogram


NOTHING = Sums(0, 0, 0, 0, 0, (0,) * (LAST_BUCKET + 1))
Usage = Mapping[Key, Sums]
"""By what they were grouped by."""
_MILLISECONDS = tuple(round(seconds_of(bucket) * 1000, 3) for bucket in range(LAST_BUCKET + 1))
_SHARES = (0.5, 0.95, 0.99)


class Figures(TypedDict):
    """The fields of `schemas.Totals`."""

    requests: int
    errors: int
    refused: int
    cache_hits: int
    error_rate: float | None
    cache_hit_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


def figures(sums: Sums) -> Figures:
    """Return counts, rates (shares of 1, None without requests) and percentiles in milliseconds."""
    p50, p95, p99 = _percentiles(sums.latencies)
    return {
        "requests": sums.requests,
        "errors": sums.errors,
        "refused": sums.refused,
        "cache_hits": sums.hits,
        "error_rate": rate(sums.errors, sums.requests),
        "cache_hit_rate": rate(sums.hits, sums.hits + sums.misses),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
    }


def rate(part: int, whole: int) -> float | None:
    """Return the share of 1; None of nothing."""
    return part / whole if whole else None


def added_up(sums: Iterable[Sums]) -> Sums:
    """Return the sums of all, latencies bucket by bucket."""
    return reduce(partial(_combined, add), sums, NOTHING)


def moved(usage: Usage[int], parts: Usage[int], moves: Sequence[Move]) -> dict[int, Sums]:
    """Add each part, a half day's, to the bucket that it belongs to, and take it from where it was."""
    sums = {**usage}
    for part, to, away_from in {(move.start // HALF_DAY, move.to, move.away_from) for move in moves}:
        if part in parts and to >= 0:
            sums[to] = _combined(add, sums.get(to, NOTHING), parts[part])
        if part in parts and away_from >= 0:
            sums[away_from] = _combined(sub, sums.get(away_from, NOTHING), parts[part])
    return sums


def _combined(operator: Callable[[int, int], int], one: Sums, other: Sums) -> Sums:
    latencies = list(map(operator, one.latencies, other.latencies))
    return Sums._make([*map(operator, one[:5], other[:5]), latencies])


def _percentiles(latencies: Histogram) -> list[float | None]:
    """As `latency.quantile` has them, by one pass: a response holds thousands."""
    seen = list(accumulate(latencies))
    total = seen[-1]
    if not total:
        return [None] * len(_SHARES)
    return [_MILLISECONDS[bisect_left(seen, ceil(share * total))] for share in _SHARES]
