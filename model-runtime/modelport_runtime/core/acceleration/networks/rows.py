"""Rows that a network must predict before its kernels are believed."""

from collections.abc import Iterator, Mapping

import numpy as np

from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.kernels import Array
from modelport_runtime.core.acceleration.networks.origins import Hints
from modelport_runtime.core.acceleration.networks.shapes import of_tensor

_FLOAT_MAX = float(np.finfo(np.float32).max)
_EXTREMES = (0.0, -0.0, 1.0, -1.0, 5e-324, 1e-45, 1e-300, 1e4, -1e4, 1e30, -1e30, _FLOAT_MAX, -_FLOAT_MAX)
_INTEGERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63))
_MOST_PLACES = 16
"""Of a wide row, so many numbers are the only extreme one."""
Feeds = dict[str, Array]


class GeneratedFeeds:
    """Deterministic. Feeds are arrays by the inputs' names, rows first."""

    def __init__(self, network: nodes.Network, sample: Mapping[str, Array], hints: Hints) -> None:
        """sample: the one row."""
        self._random = np.random.default_rng(20240229)
        self._inputs = [(each.name, of_tensor(each)) for each in network.inputs]
        self._sample = np.concatenate(
            [np.asarray(sample[name], np.float64).reshape(-1) for name, _ in self._inputs]
        )
        self._integer = np.concatenate(
            [np.full(value.size, value.dtype.startswith("int")) for _, value in self._inputs]
        )
        self._hints = hints

    def take(self, count: int) -> Feeds:
        """Return ordinary rows: like the sample, like what the first layers expect, and of other sizes."""
        random, hints, shape = self._random, self._hints, (count, len(self._sample))
        normal = hints.zeros + (hints.ones - hints.zeros) * random.normal(scale=2.0, size=shape)
        near = self._sample * (1 + random.normal(scale=0.2, size=shape))
        wide = random.normal(size=shape) * 10.0 ** random.integers(-3, 5, size=(count, 1))
        kinds = random.random((count, 1))
        drawn = np.select([kinds < 0.5, kinds < 0.7, kinds < 0.8], [normal, near, np.round(normal)], wide)
        # As of one-hot columns and of what was never filled in.
        drawn = np.where(random.random((count, 1)) < 0.1, drawn * (random.random(shape) < 0.3), drawn)
        return self._feeds(self._whole(drawn))

    def extremes(self) -> Iterator[Feeds]:
        """Return one row at a time: of one extreme value everywhere, or in one place of the sample."""
        width = len(self._sample)
        spread = np.unique(np.linspace(0, width - 1, min(width, _MOST_PLACES)).astype(int))
        for value in _EXTREMES:
            yield self._feeds(np.where(self._integer, self._sample, value)[None])
        for place in spread:
            for value in self._edges(place):
                row = self._sample.copy()
                row[place] = value
                yield self._feeds(row[None])

    def _edges(self, place: int) -> tuple[float, ...]:
        least, above = self._hints.least[place], self._hints.above[place]
        if not np.isnan(above):
            return (least, least - 1, above - 1, above, *_INTEGERS)
        return _INTEGERS if self._integer[place] else _EXTREMES

    def _whole(self, drawn: Array) -> Array:
        """Put whole numbers where such are due: within a table, where they are places in one."""
        least, above = self._hints.least, self._hints.above
        of_table = ~np.isnan(above)
        low, high = np.where(of_table, least, 0), np.where(of_table, above, 100)
        # Past a table's size is only what the extremes try.
        whole = low + np.floor(self._random.random(drawn.shape) * np.maximum(high - low, 1))
        return np.where(of_table | self._integer, whole, drawn)

    def _feeds(self, rows: Array) -> Feeds:
        feeds, start = {}, 0
        for name, value in self._inputs:
            part = rows[:, start : start + value.size].reshape(len(rows), *value.shape)
            feeds[name] = _as_type(part, value.dtype)
            start += value.size
        return feeds


def _as_type(values: Array, dtype: str) -> Array:
    if dtype.startswith("int"):
        bounds = np.iinfo(dtype)
        # The largest of 64 bits is no double: it would wrap round.
        high = float(np.nextafter(float(bounds.max), 0)) if dtype == "int64" else float(bounds.max)
        return np.clip(values, float(bounds.min), high).astype(dtype)
    limit = float(np.finfo(dtype).max)
    return np.clip(values, -limit, limit).astype(dtype)
