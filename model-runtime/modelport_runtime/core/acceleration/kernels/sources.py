"""From decoded rows (sequences of Python values, NaN for missing) to the first matrix of floats."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.kernels.steps import Matrix, chain

Rows = Sequence[Sequence[Any]]
Read = Callable[[Rows], Matrix]


class UnknownCategory(ValueError):
    """A value that the encoder has not met in training and was configured to raise on."""


def reader(part: plan.Part, row_width: int) -> Read:
    """Prepare what reads a part off rows of `row_width` values."""
    source, kernel = _source(part.source, row_width), chain(part.steps)
    if kernel is None:
        return source
    return lambda rows: kernel(source(rows))


def _source(source: plan.Numbers | plan.Lookups | plan.Stack, row_width: int) -> Read:
    if isinstance(source, plan.Numbers):
        return _numbers(source.columns, row_width)
    if isinstance(source, plan.Lookups):
        return _side_by_side([_lookup(lookup) for lookup in source.lookups])
    return _side_by_side([reader(part, row_width) for part in source.parts])


def _side_by_side(reads: list[Read]) -> Read:
    if len(reads) == 1:
        return reads[0]
    return lambda rows: np.concatenate([read(rows) for read in reads], axis=1)


def _numbers(columns: list[int], row_width: int) -> Read:
    if columns == list(range(row_width)):
        return lambda rows: np.array(rows, np.float64)
    if len(columns) == 1:
        (column,) = columns
        return lambda rows: np.array([[row[column]] for row in rows], np.float64)
    pick = itemgetter(*columns)
    return lambda rows: np.array([pick(row) for row in rows], np.float64)


def _lookup(lookup: plan.Lookup) -> Read:
    column, table = lookup.column, lookup.table.unpack()
    places = {key: place for place, key in enumerate(lookup.keys)}
    place_of, place_beyond = places.get, _beyond(lookup)

    def read(rows: Rows) -> Matrix:
        found: list[Any] = [place_of(row[column]) for row in rows]
        if None in found:
            found = [
                place_beyond(row[column]) if place is None else place
                for place, row in zip(found, rows, strict=True)
            ]
        return table.take(found, 0)

    return read


def _beyond(lookup: plan.Lookup) -> Callable[[Any], int]:
    """Return what places the values that are no keys."""
    column, missing, unknown = lookup.column, lookup.missing, lookup.unknown

    def place(value: Any) -> int:
        given = missing if value != value else unknown  # noqa: PLR0124  # only NaN is not itself
        if given is None:
            raise UnknownCategory(f"Found unknown category {value!r} in column {column}")
        return given

    return place
