"""What the two arms of an experiment have after each hundred units, drawn at random."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from modelport_evidence.means import Sums
from modelport_evidence.units import ArmCounts
from numpy.typing import NDArray

Counts = Mapping[str, ArmCounts]
Floats = NDArray[np.float64]
ARMS = ("v1", "v2")
# Conversions come after so many other units, at the mean.
_LATE = 2000
# Rows of one unit that come back, at most, and the mean of how many units come between two of them.
_VISITS, _BETWEEN = 8, 500


@dataclass(frozen=True)
class Scene:
    """`drawn`: from how many units and a generator, each unit's values at each look (units by looks), or once
    and for all (units by 1); NaN: it has none yet. `truth`: how much the second arm's mean is greater."""

    drawn: Callable[[NDArray[np.bool_], np.random.Generator, int], Floats]
    truth: float = 0.0
    metric: str = "reward"


def looks(scene: Scene, rng: np.random.Generator, *, every: int, number: int) -> Iterator[Counts]:
    """Yield the counts after each `every` units; every unit is of either arm as a coin falls."""
    is_second = rng.random(every * number) < 0.5
    values = scene.drawn(is_second, rng, every)
    sums = {arm: _sums(values, is_second == (arm == ARMS[1]), every, number) for arm in ARMS}
    for look in range(number):
        yield {arm: ArmCounts(each[look].count, 0, {scene.metric: each[look]}) for arm, each in sums.items()}


def _sums(values: Floats, is_in: NDArray[np.bool_], every: int, number: int) -> list[Sums]:
    if values.shape[1] == 1:
        mine = np.where(is_in, values[:, 0], 0.0)
        drawn = [each.reshape(number, every).sum(axis=1).cumsum() for each in (is_in, mine, mine**2)]
    else:
        mine = values[is_in]
        drawn = [np.sum(~np.isnan(mine), axis=0), np.nansum(mine, axis=0), np.nansum(mine**2, axis=0)]
    return [Sums(int(n), float(total), float(squares)) for n, total, squares in zip(*drawn, strict=True)]


def shares(first: float, second: float) -> Scene:
    """Values are 1 or 0, each arm's with its own rate."""

    def drawn(is_second: NDArray[np.bool_], rng: np.random.Generator, every: int) -> Floats:
        return (rng.random(is_second.size) < np.where(is_second, second, first)).astype(float)[:, None]

    return Scene(drawn, second - first)


def revenue() -> Scene:
    """Nine of ten buy nothing; what the others pay is log-normal, its skewness 6."""

    def drawn(is_second: NDArray[np.bool_], rng: np.random.Generator, every: int) -> Floats:
        pays = rng.random(is_second.size) < 0.1
        return np.where(pays, rng.lognormal(3.0, 1.0, is_second.size), 0.0)[:, None]

    return Scene(drawn)


def late() -> Scene:
    """One in ten converts, long after it was counted first."""

    def drawn(is_second: NDArray[np.bool_], rng: np.random.Generator, every: int) -> Floats:
        arrives = np.arange(is_second.size)[:, None]
        after = np.where(rng.random(arrives.shape) < 0.1, rng.exponential(_LATE, arrives.shape), np.inf)
        until = np.arange(every, is_second.size + 1, every)[None, :]
        return np.where(arrives < until, (arrives + after < until).astype(float), np.nan)

    return Scene(drawn)


def returning() -> Scene:
    """Units come back: their value is their share of right rows so far, and some are easier than others."""

    def drawn(is_second: NDArray[np.bool_], rng: np.random.Generator, every: int) -> Floats:
        units, number = is_second.size, is_second.size // every
        visits = np.arange(_VISITS)[None, :] < rng.geometric(0.4, units)[:, None]
        gaps = np.where(np.arange(_VISITS) > 0, rng.exponential(_BETWEEN, visits.shape), 0).cumsum(axis=1)
        at = ((np.arange(units)[:, None] + gaps) // every).astype(int)
        right = rng.random(visits.shape) < rng.beta(4, 1, units)[:, None]
        seen, hits = np.zeros((units, number)), np.zeros((units, number))
        is_in = visits & (at < number)
        unit = np.broadcast_to(np.arange(units)[:, None], at.shape)[is_in]
        np.add.at(seen, (unit, at[is_in]), 1)
        np.add.at(hits, (unit, at[is_in]), right[is_in])
        shares: Floats = np.full_like(hits, np.nan)
        counted = seen.cumsum(axis=1)
        np.divide(hits.cumsum(axis=1), counted, out=shares, where=counted > 0)
        return shares

    return Scene(drawn, metric="accuracy")
