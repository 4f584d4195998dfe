"""Counts as a rollout has them after each hundred requests, drawn at random."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from modelport_evidence import counters
from modelport_evidence.counters import BASELINE, CANDIDATE
from modelport_telemetry.usage.latency import EDGES
from numpy.typing import NDArray
from scipy import stats

Counts = dict[str, int]


@dataclass(frozen=True)
class Scene:
    """Shares of rows, pairs and requests. `canary`: the candidate's share of the requests of callers.

    `seconds`: mean of both versions' gamma-distributed latency; None: none is counted.
    """

    disagreement: float = 0.0
    alone: tuple[float, float] = (0.0, 0.0)
    """Of the pairs, those that only the candidate fails, and only the baseline."""
    live: tuple[float, float] = (0.0, 0.0)
    """Of their own requests, those that candidate and baseline fail."""
    canary: float = 0.1
    seconds: float | None = None
    is_shadowed: bool = True
    is_live: bool = True


def looks(scene: Scene, rng: np.random.Generator, *, every: int, number: int) -> Iterator[Counts]:
    """Yield the counts after each `every` requests."""
    drawn = {name: each.cumsum(axis=0) for name, each in _drawn(scene, rng, every, number).items()}
    for look in range(number):
        yield {name: int(each[look]) for name, each in drawn.items() if each[look]}


def _drawn(scene: Scene, rng: np.random.Generator, every: int, number: int) -> dict[str, NDArray[np.int64]]:
    drawn: dict[str, NDArray[np.int64]] = {}
    if scene.is_shadowed:
        drawn |= _pairs(scene, rng, every, number)
    if scene.is_live:
        drawn |= _live(scene, rng, every, number)
    return drawn


def _pairs(scene: Scene, rng: np.random.Generator, every: int, number: int) -> dict[str, NDArray[np.int64]]:
    failed = rng.multinomial(every, [*scene.alone, 1 - sum(scene.alone)], number)
    pairs = {
        counters.PAIRS: np.full(number, every),
        counters.ROWS: failed[:, 2],
        counters.DISAGREEMENTS: rng.binomial(failed[:, 2], scene.disagreement),
        counters.failed_alone(CANDIDATE): failed[:, 0],
        counters.failed_alone(BASELINE): failed[:, 1],
    }
    if scene.seconds is not None:
        for named in (partial(counters.shadow_latency, CANDIDATE), partial(counters.live_latency, BASELINE)):
            pairs |= _latencies(named, rng.multinomial(every, _buckets(scene.seconds), number))
    return pairs


def _latencies(named: Callable[[int], str], counted: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    used = np.flatnonzero(counted.any(axis=0))
    return {named(int(bucket)): counted[:, bucket] for bucket in used}


def _buckets(seconds: float) -> NDArray[np.float64]:
    below = stats.gamma(4, scale=seconds / 4).cdf(EDGES)
    return np.diff(below, prepend=0, append=1)


def _live(scene: Scene, rng: np.random.Generator, every: int, number: int) -> dict[str, NDArray[np.int64]]:
    candidate = rng.binomial(every, scene.canary, number)
    requests = {CANDIDATE: candidate, BASELINE: every - candidate}
    live: dict[str, NDArray[np.int64]] = {}
    for rate, (side, each) in zip(scene.live, requests.items(), strict=True):
        live[counters.live_requests(side)] = each
        live[counters.live_errors(side)] = rng.binomial(each, rate)
    return live
