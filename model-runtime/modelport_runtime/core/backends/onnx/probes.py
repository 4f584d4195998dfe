"""Rows made up to see what an ONNX graph gives: its file declares types, but neither rows nor meanings."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from modelport_runtime.core.backends.onnx.inputs import Feeds, Input

Run = Callable[[Feeds], list[Any]]
Make = Callable[[Input, list[int]], Any]

_FREE_SIZES = (1, 8, 64)
"""Of a free dimension, smallest first: a convolution takes nothing smaller than itself."""
_SCALES = (1.0, 3.0, 10.0, 100.0, 0.1, 1.0, 1.0, 1.0)
_DRAWS = 4
_SECONDS = 3.0
"""A slow graph is not given every probe."""


class Probes:
    """`given`: what the graph gave for `rows` rows each time. `doubled`: for one row, and for two of it."""

    def __init__(self, run: Run, inputs: Sequence[Input], rows: int) -> None:
        self._run, self._inputs = run, inputs
        self._until = time.monotonic() + _SECONDS
        self.rows = rows
        self.given: list[list[Any]] = []
        self.doubled: tuple[list[Any], list[Any]] | None = None
        for size in _FREE_SIZES:
            self._probe(size)
            self.free_size = size
            if self.given:
                return

    def makes_numbers_of_nan(self) -> bool:
        """Whether the graph takes NaN and returns finite numbers."""
        if not self.given:
            return False
        given = self.try_run(self._feeds(_missing, self.rows, self.free_size))
        numbers = [_numbers(each) for each in given or ()]
        return any(map(len, numbers)) and all(np.isfinite(each).all() for each in numbers)

    def drawn(self, rows: int) -> Iterator[Feeds]:
        """Return rows made up by chance, in shapes that the graph has taken, while there is time."""
        random = np.random.default_rng(1)
        make = partial(_random, scale=3.0, random=random)
        for _ in range(_DRAWS):
            if self.given and time.monotonic() < self._until:
                yield self._feeds(make, rows, self.free_size)

    def _probe(self, free_size: int) -> None:
        for make in _makers():
            if self.given and time.monotonic() > self._until:
                return
            feeds = self._feeds(make, self.rows, free_size)
            given = self.try_run(feeds)
            if given is None:
                continue
            self.given.append(given)
            if self.doubled is None and self.rows == 1:
                self._double(given, feeds)

    def _double(self, one: list[Any], feeds: Feeds) -> None:
        two = self.try_run(
            {
                each.name: np.concatenate([feeds[each.name]] * 2) if each.batched else feeds[each.name]
                for each in self._inputs
            }
        )
        self.doubled = None if two is None else (one, two)

    def _feeds(self, make: Make, rows: int, free_size: int) -> Feeds:
        feeds = {}
        for each in self._inputs:
            shape = [size or free_size for size in each.row_shape]
            feeds[each.name] = make(each, [rows, *shape] if each.batched else shape)
        return feeds

    def try_run(self, feeds: Feeds) -> list[Any] | None:
        """Return the outputs; None if the graph refuses the inputs."""
        try:
            return self._run(feeds)
        except Exception:  # noqa: BLE001  # it takes other values than these; the next may do
            return None


def _makers() -> Iterator[Make]:
    yield partial(_constant, value=0)
    yield partial(_constant, value=1)
    random = np.random.default_rng(0)
    for scale in _SCALES:
        yield partial(_random, scale=scale, random=random)


def _constant(each: Input, shape: list[int], value: int) -> Any:
    return np.full(shape, "text" if each.dtype == "object" else value, dtype=each.dtype)


def _random(each: Input, shape: list[int], scale: float, random: np.random.Generator) -> Any:
    if each.kind == "number":
        return (random.normal(size=shape) * scale).astype(each.dtype)
    if each.kind == "integer":
        return random.integers(0, max(2, min(100, int(scale * 2))), shape).astype(each.dtype)
    if each.kind == "boolean":
        return random.random(shape) < 0.5
    return _texts(shape, random)


def _texts(shape: list[int], random: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return texts of one word or more."""
    texts = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        texts[place] = f"{'text ' * random.integers(1, 5)}{random.integers(100)}"
    return texts


def _missing(each: Input, shape: list[int]) -> Any:
    return np.full(shape, np.nan, each.dtype) if each.kind == "number" else _constant(each, shape, 0)


def _numbers(given: Any) -> np.ndarray[Any, Any]:
    """Return the fractions of an output, of maps of classes too."""
    if isinstance(given, np.ndarray) and given.dtype.kind == "f":
        return given.ravel()
    maps = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return np.array([value for each in maps for value in each.values()], dtype=np.float64)
