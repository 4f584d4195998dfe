"""What the two arms of an experiment have after each hundred units, drawn at random."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from modelport_evidence.history import History, Measured
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
class Drawn:
    """`values`: each unit's at each look (units by looks), or once and for all (units by 1); NaN: it has none
    yet. `before`: what each did before the experiment; NaN: it was not there. None: nobody was."""

    values: Floats
    before: Floats | None = None


@dataclass(frozen=True)
class Scene:
    """`drawn`: from which units are the second arm's, a generator, and how many units come between two looks.
    `truth`: how much the second arm's mean is greater."""

    drawn: Callable[[NDArray[np.bool_], np.random.Generator, int], Drawn]
    truth: float = 0.0
    metric: str = "reward"


def looks(scene: Scene, rng: np.random.Generator, *, every: int, number: int) -> Iterator[Counts]:
    """Yield the counts after each `every` units; every unit is of either arm as a coin falls."""
    is_second = rng.random(every * number) < 0.5
    drawn = scene.drawn(is_second, rng, every)
    arms = {arm: _measured(drawn, is_second == (arm == ARMS[1]), every, number) for arm in ARMS}
    for look in range(number):
        yield {
            arm: ArmCounts(each[look].sums.count, 0, {scene.metric: each[look]}) for arm, each in arms.items()
        }


def _measured(drawn: Drawn, is_in: NDArray[np.bool_], every: int, number: int) -> list[Measured]:
    if drawn.values.shape[1] > 1:
        mine = drawn.values[is_in]
        sums = [np.sum(~np.isnan(mine), axis=0), np.nansum(mine, axis=0), np.nansum(mine**2, axis=0)]
        return [Measured(Sums(*each)) for each in _rows(sums)]

    def so_far(values: Floats | NDArray[np.bool_], of: NDArray[np.bool_]) -> Floats:
        counted: Floats = np.where(of, values, 0.0).reshape(number, every).sum(axis=1).cumsum()
        return counted

    y = drawn.values[:, 0]
    sums = [so_far(each, is_in) for each in (is_in, y, y**2)]
    if drawn.before is None:
        return [Measured(Sums(*each)) for each in _rows(sums)]
    x, was_there = drawn.before, is_in & ~np.isnan(drawn.before)
    before = [so_far(each, was_there) for each in (was_there, x, x**2)]
    both = _rows([so_far(y, was_there), so_far(x * y, was_there)])
    return [
        Measured(Sums(*of_y), History(Sums(*of_x), *of_both))
        for of_y, of_x, of_both in zip(_rows(sums), _rows(before), both, strict=True)
    ]


def _rows(columns: list[Floats]) -> list[Any]:
    """First the count, if they are sums: a float there does no harm."""
    rows: list[Any] = np.array(columns).T.tolist()
    return rows


def shares(first: float, second: float) -> Scene:
    """Values are 1 or 0, each arm's with its own rate."""

    def drawn(is_second: NDArray[np.bool_], rng: np.random.Generator, every: int) -> Drawn:
        return Drawn((rng.random(is_second.size) < np.where(is_second, second, first)).astype(float)[:, None])

    return Scene(drawn, second - first)


def revenue() -> Scene:
    """Nine of ten buy nothing; what the others pay is log-normal, its skewness 6."""

    def drawn(is_second: NDArray[np.bool_], rng: np.random.Generator, every: int) -> Drawn:
        pays = rng.random(is_second.size) < 0.1
        return Drawn(np.where(pays, rng.lognormal(3.0, 1.0, is_second.size), 0.0)[:, None])

    return Scene(drawn)


def late() -> Scene:
    """One in ten converts, long after it was counted first."""

    def drawn(is_second: NDArray[np.bool_], rng: np.random.Generator, every: int) -> Drawn:
        arrives = np.arange(is_second.size)[:, None]
        after = np.where(rng.random(arrives.shape) < 0.1, rng.exponential(_LATE, arrives.shape), np.inf)
        until = np.arange(every, is_second.size + 1, every)[None, :]
        return Drawn(np.where(arrives < until, (arrives + after < until).astype(float), np.nan))

    return Scene(drawn)


def returning() -> Scene:
    """Units come back: their value is their share of right rows so far, and some are easier than others."""

    def drawn(is_second: NDArray[np.bool_], rng: np.random.Generator, every: int) -> Drawn:
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
        return Drawn(shares)

    return Scene(drawn, metric="accuracy")


def customers(more: float = 0.0, *, new: float = 1 / 3) -> Scene:
    """What each spends is about what they spent before, by a factor that is log-normal; mean 31.3.

    more: what those of the second arm spend more. new: the share of those that were not there before.
    """

    def drawn(is_second: NDArray[np.bool_], rng: np.random.Generator, every: int) -> Drawn:
        usual = rng.lognormal(3.0, 0.8, is_second.size)
        before, now = (usual * rng.lognormal(0.0, 0.5, is_second.size) for _ in range(2))
        before[rng.random(is_second.size) < new] = np.nan
        return Drawn((now + more * is_second)[:, None], before)

    return Scene(drawn, more)
