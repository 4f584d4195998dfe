"""A row like those of a reference, drawn from its bins column by column: the rows themselves are not kept."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from modelport_telemetry.drift.bins import FIRST_BIN, MISSING, CategoryBins, NumberBins

from modelport_control_api.drift.profiles.profile import ColumnProfile, Matched

_BOOLEANS = {"true": True, "false": False}


def drawn_row(
    matched: Matched, columns: Sequence[Mapping[str, Any]], chooser: random.Random
) -> dict[int, Any]:
    """Return values by the place of their column, None for a missing one. `columns`: of the signature.

    A column of which nothing is known that the model takes is left out: ids, texts that came once.
    """
    profiles = {column.position: column for column in matched.columns}
    drawn = {at: _draw(profiles[at], column, chooser) for at, column in enumerate(columns) if at in profiles}
    return {at: found[0] for at, found in drawn.items() if found}


def _draw(column: ColumnProfile, wanted: Mapping[str, Any], chooser: random.Random) -> tuple[Any, ...]:
    """Return the value alone, or nothing."""
    cells = _cells(column, optional=bool(wanted.get("optional")))
    if not cells:
        return ()
    (cell,) = chooser.choices(list(cells), weights=list(cells.values()))
    if cell == MISSING:
        return (None,)
    if isinstance(column.bins, CategoryBins):
        return _fitting(column.bins.categories[cell - FIRST_BIN], wanted)
    return _fitting(_number(column.bins, cell - FIRST_BIN, chooser), wanted)


def _cells(column: ColumnProfile, *, optional: bool) -> dict[int, int]:
    """Return how often the reference has each cell that stands for certain values."""
    bins = column.bins
    if isinstance(bins, CategoryBins):
        known = set(range(FIRST_BIN, FIRST_BIN + len(bins.categories)))
    else:
        beyond = bins.beyond_cells or range(bins.cells)
        known = set(range(FIRST_BIN, bins.cells)).difference(beyond)
    if optional:
        known.add(MISSING)
    return {cell: count for cell, count in enumerate(column.cells) if count and cell in known}


def _number(bins: NumberBins, at: int, chooser: random.Random) -> float:
    """Return a number of the bin, with as many digits as its width needs; whole if all seem to be."""
    low, high = bins.edges[at - 1], bins.edges[at]
    if math.nextafter(low, math.inf) >= high:
        return int(low) if _is_whole(bins) else low
    first, last = math.ceil(low), math.ceil(high) - 1
    if _is_whole(bins) and first <= last:
        return chooser.randint(first, last)
    number = chooser.uniform(low, high)
    rounded = round(number, 2 - math.floor(math.log10(high - low)))
    return rounded if low <= rounded < high else number


def _is_whole(bins: NumberBins) -> bool:
    """Edges are values of the reference, or the next float after one; far ones are computed."""
    own = bins.edges[1:-1] if bins.far else bins.edges
    return all(edge.is_integer() or math.nextafter(edge, -math.inf).is_integer() for edge in own)


def _fitting(value: str | float, wanted: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the value as the column takes it, or nothing where it does not."""
    if offered := wanted.get("values"):
        return tuple(each for each in offered if each == value or str(each) == str(value))[:1]
    kind, is_text = wanted.get("kind"), isinstance(value, str)
    truth = _BOOLEANS.get(str(value).lower())
    if kind in {"string", "any"}:
        return (str(value) if kind == "string" else value,)
    if kind == "boolean" and value in (0, 1):
        return (bool(value),)
    if is_text:
        return () if truth is None else (truth,)
    takes = kind == "number" or (kind == "integer" and isinstance(value, int))
    return (value,) if takes else ()
