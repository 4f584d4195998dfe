"""Rows that a model must predict before its kernels are believed: the sample's like, and every edge."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration.origins import Hints
from modelport_runtime.core.signature import Column

Row = list[Any]
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_EXTREMES = (0.0, -0.0, 5e-324, -5e-324, 1e-45, 1e-300, 1e30, -1e30, _FLOAT32_MAX, -_FLOAT32_MAX)
_BEYOND_FLOAT32 = (_FLOAT32_MAX * 1.0000001, 1.7e308, -1.7e308, 1e39, 1e300, -1e300)
_INTEGERS = (0, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63))
_EXTREMES_OF: dict[str, tuple[Any, ...]] = {
    "number": _EXTREMES,
    "integer": _INTEGERS,
    "any": (*_EXTREMES, *_INTEGERS),
}
_BEYOND_OF: dict[str, tuple[Any, ...]] = {
    "number": _BEYOND_FLOAT32,
    "any": ("text", "1.5", "", *_BEYOND_FLOAT32),
}
_TEXTS = ("", "other")
_ANYTHING = (0, 1, True, False, -7, 2.5, -1e6, 3)
_NAN = float("nan")
UNKNOWN = "a category that no training has met"


class GeneratedRows:
    """Deterministic. `missing` and `unknown`: columns where such values do not make the model raise."""

    def __init__(
        self, columns: tuple[Column, ...], sample: Row, hints: Hints, *, missing: set[int], unknown: set[int]
    ) -> None:
        self._random = np.random.default_rng(20240229)
        self._columns = columns
        self._sample = sample
        self._hints = hints
        self._missing, self._unknown = missing, unknown
        self._edges = [
            self._edge_values(place, column) if _is_numeric(column) else []
            for place, column in enumerate(columns)
        ]
        self._next_edge = [cycle(edges) if edges else None for edges in self._edges]

    def take(self, count: int) -> list[Row]:
        """Return ordinary rows: a model that raises on one of them raises on its own users."""
        made = [self._column(place, column, count) for place, column in enumerate(self._columns)]
        return [list(row) for row in zip(*made, strict=True)]

    def extremes(self) -> Iterator[list[Row]]:
        """Return rows of one extreme value each, in all columns or one; what may raise comes last."""
        for value in (*_EXTREMES, *_BEYOND_FLOAT32):
            yield [[value if _is_free(column) else own for column, own in self._with_sample()]]
        for extremes in (_EXTREMES_OF, _BEYOND_OF):
            for place, column in enumerate(self._columns):
                if column.values is None and column.kind in extremes:
                    yield [self._with(place, value) for value in extremes[column.kind]]

    def _with(self, place: int, value: Any) -> Row:
        row = list(self._sample)
        row[place] = value
        return row

    def _with_sample(self) -> Iterator[tuple[Column, Any]]:
        return zip(self._columns, self._sample, strict=True)

    def _column(self, place: int, column: Column, count: int) -> list[Any]:
        values = self._values(place, column, count)
        if place in self._missing:
            for row in np.flatnonzero(self._random.random(count) < 0.1):
                values[row] = _NAN
        return values

    def _values(self, place: int, column: Column, count: int) -> list[Any]:
        known = list(column.values or ()) or self._hints.categories.get(place, [])
        if known:
            return self._categories(place, column, known, count)
        if column.kind == "boolean":
            return [bool(drawn) for drawn in self._random.random(count) < 0.5]
        if not _is_numeric(column):
            choices = [self._sample[place], *(_TEXTS if column.kind == "string" else _ANYTHING)]
            return [choices[choice] for choice in self._random.integers(len(choices), size=count)]
        numbers = self._numbers(place, count)
        return [round(number) for number in numbers] if column.kind == "integer" else numbers

    def _categories(self, place: int, column: Column, known: list[Any], count: int) -> list[Any]:
        values = [known[choice] for choice in self._random.integers(len(known), size=count)]
        if place in self._unknown:
            for row in np.flatnonzero(self._random.random(count) < 0.1):
                values[row] = unknown_value(column)
        return values

    def _numbers(self, place: int, count: int) -> list[float]:
        """Mix the model's thresholds, what it has learned of the column, and numbers of any size."""
        edges, random = self._next_edge[place], self._random
        ordinary: list[float] = self._ordinary(place, count).tolist()
        if edges is None:
            return ordinary
        at_edge = random.random(count) < 0.6
        return [next(edges) if edge else number for edge, number in zip(at_edge, ordinary, strict=True)]

    def _ordinary(self, place: int, count: int) -> Any:
        random = self._random
        origin, one = self._hints.scales.get(place, (0.0, 1.0))
        normal = origin + (one - origin) * random.normal(scale=2.0, size=count)
        # A tree that separates missing from all others has an infinite threshold.
        finite = [value for value in self._hints.values.get(place, ()) if np.isfinite(value)]
        if place not in self._hints.scales and finite:
            low, high = min(finite), max(finite)
            normal = random.uniform(low - 0.1 * (high - low) - 1e-3, high + 0.1 * (high - low) + 1e-3, count)
        own = self._own(place)
        near = own * (1 + random.normal(scale=0.2, size=count))
        whole = np.round(normal)
        wide = random.normal(size=count) * 10.0 ** random.integers(-3, 7, size=count)
        kinds = random.random(count)
        return np.select([kinds < 0.5, kinds < 0.75, kinds < 0.9], [normal, near, whole], wide)

    def _own(self, place: int) -> float:
        value = self._sample[place]
        return float(value) if isinstance(value, int | float) and value == value else 1.0  # noqa: PLR0124  # NaN

    def _edge_values(self, place: int, column: Column) -> list[float]:
        """Return every threshold and its neighbors in double and single precision, in a random order."""
        values = np.array(self._hints.values.get(place, []), dtype=np.float64)
        values = values[np.isfinite(values)]
        single = values.astype(np.float32)
        up, down = np.float32(np.inf), np.float32(-np.inf)
        neighbors = [
            *(values, np.nextafter(values, np.inf), np.nextafter(values, -np.inf)),
            *(single, np.nextafter(single, up), np.nextafter(single, down)),
        ]
        edges = np.unique(np.concatenate([one.astype(np.float64) for one in neighbors]))
        edges = edges[np.isfinite(edges)]
        low, high = (-(2.0**62), 2.0**62) if column.kind == "integer" else (-_FLOAT32_MAX, _FLOAT32_MAX)
        edges = edges[(edges >= low) & (edges <= high)]
        self._random.shuffle(edges)
        return [float(edge) for edge in edges]


def unknown_value(column: Column) -> Any:
    """Return a value of the column's kind that no encoder knows."""
    return UNKNOWN if column.kind == "string" else 987_654_321


def _is_numeric(column: Column) -> bool:
    return column.kind in ("number", "integer") and column.values is None


def _is_free(column: Column) -> bool:
    return column.kind == "number" and column.values is None
