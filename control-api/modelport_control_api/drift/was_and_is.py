"""How a feature that drifts differs from its reference, in a sentence."""

from collections.abc import Sequence
from itertools import accumulate

from modelport_edge.drift.bins import FIRST_BIN, MISSING, UNKNOWN, NumberBins

from modelport_control_api.drift.profile import ColumnProfile

_NOTABLE = 0.05


def describe(column: ColumnProfile, live: Sequence[int]) -> str:
    """Say first what is most telling: rows without a value, unknown values, then where its values are."""
    there, here = sum(column.cells), sum(live)
    said = [
        f"{what} in {_percent(live[cell] / here)} of rows, was {_percent(column.cells[cell] / there)}"
        for cell, what in ((MISSING, "missing"), (UNKNOWN, "unknown values"))
        if abs(live[cell] / here - column.cells[cell] / there) >= _NOTABLE
    ]
    if sum(live[FIRST_BIN:]) and sum(column.cells[FIRST_BIN:]):
        said.append(_middle(column, live) if isinstance(column.bins, NumberBins) else _largest(column, live))
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."


def _middle(column: ColumnProfile, live: Sequence[int]) -> str:
    assert isinstance(column.bins, NumberBins)  # noqa: S101 - for mypy
    was = _median(column.bins.edges, column.cells[FIRST_BIN:])
    now = _median(column.bins.edges, live[FIRST_BIN:])
    return f"half of its values are below {now}, was {was}"


def _median(edges: Sequence[float], counts: Sequence[int]) -> str:
    """The upper edge of the bin that holds the middle value."""
    half = sum(counts) / 2
    at = next(index for index, below in enumerate(accumulate(counts)) if below >= half)
    if at >= len(edges):
        return f"more than {edges[-1]:.4g}"
    return f"{edges[at]:.4g}"


def _largest(column: ColumnProfile, live: Sequence[int]) -> str:
    there, here = sum(column.cells), sum(live)
    shares = [(live[at] / here - column.cells[at] / there, at) for at in range(FIRST_BIN, len(column.cells))]
    change, at = max(shares, key=lambda share: abs(share[0]))
    name = getattr(column.bins, "categories", ())[at - FIRST_BIN]
    return f"{name!r} in {_percent(live[at] / here)} of rows, was {_percent(live[at] / here - change)}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
