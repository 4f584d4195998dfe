"""Where the rows are in what an ONNX graph gives: found by probing it with one row and with two."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from modelport_http.wording import counted

Rows = Any
"""An array with rows first, or a list of one item a row."""
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Layout:
    """`rows` finds them in what was given. `axis` is theirs in an array; None: all of it is one row's."""

    rows: Callable[[Any], Rows]
    axis: int | None = 0

    def shape(self, sizes: Shape) -> Shape:
        """Return the shape with rows first of the declared one."""
        if self.axis is None:
            return (None, *sizes)
        return (None, *sizes[: self.axis], *sizes[self.axis + 1 :])


class NoRows(Exception):
    """The message completes "The ONNX output …"."""


def of_two(one: Any, two: Any) -> Layout | None:
    """Compare an output for one row with that for two. None: it does not grow with the rows."""
    if isinstance(one, np.ndarray) and isinstance(two, np.ndarray):
        axis = _growing(one, two)
        return None if axis is None else _along(axis)
    if not isinstance(one, list) or not isinstance(two, list):
        return None
    if (len(one), len(two)) == (1, 2):
        return ROWS_FIRST
    layouts = [of_two(a, b) for a, b in zip(one, two, strict=False)]
    return _each(layouts) if len(one) == len(two) and None not in layouts else None


def _growing(one: np.ndarray[Any, Any], two: np.ndarray[Any, Any]) -> int | None:
    if one.ndim != two.ndim:
        return None
    differ = [axis for axis in range(one.ndim) if one.shape[axis] != two.shape[axis]]
    if len(differ) != 1 or (one.shape[differ[0]], two.shape[differ[0]]) != (1, 2):
        return None
    return differ[0]


def of_batch(given: Any, rows: int) -> Layout:
    """Decide by a batch of the only size that the graph takes. Of one row, what has no rows is that row's.

    Raises `NoRows`.
    """
    if isinstance(given, np.ndarray) and given.shape[:1] == (rows,):
        return ROWS_FIRST
    if isinstance(given, list) and given:
        if all(isinstance(item, np.ndarray) and item.shape[:1] == (rows,) for item in given):
            return _each([ROWS_FIRST] * len(given))
        if len(given) == rows:
            return ROWS_FIRST
    if rows == 1:
        return WHOLE
    raise NoRows(f"has no {counted(rows, 'row')}, though its inputs have")


def _whole(given: Any) -> Rows:
    return given[None] if isinstance(given, np.ndarray) else [given]


def _along(axis: int) -> Layout:
    return ROWS_FIRST if axis == 0 else Layout(lambda given: np.moveaxis(given, axis, 0), axis)


def _each(layouts: Sequence[Layout | None]) -> Layout:
    """A list of outputs, e.g. one a label: each row gets its part of all."""

    def rows(given: list[Any]) -> Rows:
        parts = [layout.rows(part) for layout, part in zip(layouts, given, strict=True) if layout]
        return [list(row) for row in zip(*parts, strict=True)]

    return Layout(rows)


def _as_it_is(given: Any) -> Rows:
    return given


ROWS_FIRST = Layout(_as_it_is)
WHOLE = Layout(_whole, axis=None)
"""All of it is one row's."""


def joined(groups: Sequence[Rows], places: Sequence[Sequence[int]]) -> Rows:
    """Put the rows of several groups into the callers' order: one array if they are alike, else a list.

    A group may hold more rows than places: what was filled up is dropped.
    """
    groups = [rows[: len(each)] for rows, each in zip(groups, places, strict=True)]
    order = np.argsort([place for each in places for place in each])
    shapes = {rows.shape[1:] if isinstance(rows, np.ndarray) else None for rows in groups}
    if None not in shapes and len(shapes) == 1:
        return np.concatenate(groups)[order]
    flat = [row for rows in groups for row in rows]
    return [flat[place] for place in order]
