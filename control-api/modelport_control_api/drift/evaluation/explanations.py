"""How a feature that drifts differs from its reference, in a sentence."""

from collections.abc import Sequence
from itertools import accumulate

from modelport_telemetry.drift.bins import FIRST_BIN, MISSING, UNKNOWN, CategoryBins, NumberBins

from modelport_control_api.drift.profiles.profile import ColumnProfile

_NOTABLE = 0.02
_NOTABLE_OF_NONE = 0.005
_NEAR_THE_MIDDLE = 0.1
"""Of the reference's rows: the middle value has hardly moved, and something else is the news."""


def describe(column: ColumnProfile, live: Sequence[int], words: str = "") -> str:
    """Return first what is most telling: rows without a value, unknown values, then where its values are.

    `words`: what the cells do not show.
    """
    findings = [words] if words else []
    if sum(live):
        findings += _changes(column, live)
    text = "; ".join(findings)
    return f"{text[:1].upper()}{text[1:]}."


def _changes(column: ColumnProfile, live: Sequence[int]) -> list[str]:
    there, here = sum(column.cells), sum(live)
    shares = [
        (what, sum(column.cells[cell] for cell in cells) / there, sum(live[cell] for cell in cells) / here)
        for what, cells in _shares(column.bins)
    ]
    findings = [
        f"{what} in {_percent(now)} of rows, was {_percent(was)}"
        for what, was, now in shares
        if abs(now - was) >= _NOTABLE or (now >= _NOTABLE_OF_NONE and now > 4 * was)
    ]
    if sum(live[FIRST_BIN:]) and sum(column.cells[FIRST_BIN:]):
        findings += _place(column, live, alone=not findings)
    return findings


def _place(column: ColumnProfile, live: Sequence[int], *, alone: bool) -> list[str]:
    """`alone`: there is no other finding."""
    if isinstance(column.bins, CategoryBins):
        return [_largest(column, live)]
    if not column.bins.edges or not (alone or _has_moved(column, live)):
        return []
    return [_middle(column, live)]


def _has_moved(column: ColumnProfile, live: Sequence[int]) -> bool:
    """Return whether the middle value is another than the reference's, as ranks go."""
    known, found = column.cells[FIRST_BIN:], live[FIRST_BIN:]
    at, half = _middle_bin(found), sum(known) / 2
    below = sum(known[:at])
    distance = max(below - half, half - below - known[at])
    return distance > _NEAR_THE_MIDDLE * sum(known)


def _shares(bins: NumberBins | CategoryBins) -> list[tuple[str, tuple[int, ...]]]:
    shares: list[tuple[str, tuple[int, ...]]] = [("missing", (MISSING,)), ("unknown values", (UNKNOWN,))]
    if isinstance(bins, NumberBins) and bins.edges:
        shares.append(("far from all values of the reference, as in wrong units,", bins.far_cells))
        shares.append(("beyond all values of the reference", bins.beyond_cells))
    return shares


def _middle(column: ColumnProfile, live: Sequence[int]) -> str:
    assert isinstance(column.bins, NumberBins)  # noqa: S101 - for mypy
    was = _median(column.bins.edges, column.cells[FIRST_BIN:])
    now = _median(column.bins.edges, live[FIRST_BIN:])
    return f"half of its values are below {now}, was {was}"


def _median(edges: Sequence[float], counts: Sequence[int]) -> str:
    """The upper edge of the bin that holds the middle value."""
    at = _middle_bin(counts)
    if at >= len(edges):
        return f"more than {edges[-1]:.4g}"
    return f"{edges[at]:.4g}"


def _middle_bin(counts: Sequence[int]) -> int:
    half = sum(counts) / 2
    return next(index for index, below in enumerate(accumulate(counts)) if below >= half)


def _largest(column: ColumnProfile, live: Sequence[int]) -> str:
    there, here = sum(column.cells), sum(live)
    shares = [(live[at] / here - column.cells[at] / there, at) for at in range(FIRST_BIN, len(column.cells))]
    change, at = max(shares, key=lambda share: abs(share[0]))
    names = getattr(column.bins, "categories", ())
    name = repr(names[at - FIRST_BIN]) if at - FIRST_BIN < len(names) else "rarer categories"
    return f"{name} in {_percent(live[at] / here)} of rows, was {_percent(live[at] / here - change)}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
