"""One feature's live rows against its reference's: how much they differ, and whether chance explains it."""

from collections.abc import Sequence
from dataclasses import dataclass

from modelport_edge.drift.bins import FIRST_BIN, MISSING, UNKNOWN, CategoryBins, NumberBins

from modelport_control_api.drift.statistics import (
    chi_square,
    kolmogorov_smirnov,
    rank_sum,
    stability_index,
    two_shares,
)

# For the stability index: cells with fewer of the reference's rows add more chance than knowledge.
_INDEX_CELLS = 20
_ROWS_IN_A_CELL = 15
# Pearson's test is trusted from about five expected rows a cell.
_ROWS_IN_A_CATEGORY = 5


@dataclass(frozen=True, slots=True)
class Compared:
    """`p_value`: of this feature alone, for all tests made on it."""

    psi: float
    p_value: float


def compare(
    bins: NumberBins | CategoryBins, reference: Sequence[int], live: Sequence[int], n: float, m: float
) -> Compared:
    """Compare counts of the feature's cells. `n`, `m`: how many independent rows they stand for."""
    if isinstance(bins, NumberBins):
        return _compare_numbers(reference, live, n, m)
    return _compare_categories(reference, live, n, m)


def _compare_numbers(reference: Sequence[int], live: Sequence[int], n: float, m: float) -> Compared:
    tests = [*_share_tests(reference, live, n, m, (MISSING, UNKNOWN))]
    known, found = reference[FIRST_BIN:], live[FIRST_BIN:]
    there, here = sum(known) / sum(reference), sum(found) / sum(live)
    if there and here:
        sizes = n * there, m * here
        tests += [kolmogorov_smirnov(known, found, *sizes), rank_sum(known, found, *sizes)]
    groups = [[MISSING], [UNKNOWN], *_groups(known, sum(reference))]
    return Compared(_index(reference, live, groups, n, m), _combined(tests))


def _compare_categories(reference: Sequence[int], live: Sequence[int], n: float, m: float) -> Compared:
    tests = _share_tests(reference, live, n, m, (MISSING,))
    # Rare ones are one cell with the unknown: which of the rare came twice in the reference is chance.
    common = [at for at in range(FIRST_BIN, len(reference)) if reference[at] >= _ROWS_IN_A_CATEGORY]
    rare = [UNKNOWN, *(at for at in range(FIRST_BIN, len(reference)) if reference[at] < _ROWS_IN_A_CATEGORY)]
    cells = [*([at] for at in common), rare]
    known, found = _grouped(reference, cells), _grouped(live, cells)
    there, here = sum(known) / sum(reference), sum(found) / sum(live)
    if there and here:
        tests.append(chi_square(known, found, n * there, m * here))
    return Compared(_index(reference, live, [[MISSING], *cells], n, m), _combined(tests))


def _share_tests(
    reference: Sequence[int], live: Sequence[int], n: float, m: float, cells: tuple[int, ...]
) -> list[float]:
    there, here = sum(reference), sum(live)
    return [
        two_shares(reference[cell] / there, live[cell] / here, n, m)
        for cell in cells
        if reference[cell] or live[cell]
    ]


def _combined(tests: list[float]) -> float:
    return min(1.0, len(tests) * min(tests)) if tests else 1.0


def _index(
    reference: Sequence[int], live: Sequence[int], groups: list[list[int]], n: float, m: float
) -> float:
    known, found = _grouped(reference, groups), _grouped(live, groups)
    used = [at for at in range(len(groups)) if known[at] or found[at]]
    return stability_index([known[at] for at in used], [found[at] for at in used], n, m)


def _groups(known: Sequence[int], total: int) -> list[list[int]]:
    """Neighbouring bins together, as long as they hold no more than a group should."""
    most = max(1 / _INDEX_CELLS, _ROWS_IN_A_CELL / total) * total
    groups: list[list[int]] = []
    held = 0
    for index, rows in enumerate(known):
        if groups and held + rows <= most:
            groups[-1].append(FIRST_BIN + index)
            held += rows
        else:
            groups.append([FIRST_BIN + index])
            held = rows
    return groups


def _grouped(counts: Sequence[int], groups: list[list[int]]) -> list[int]:
    return [sum(counts[at] for at in group) for group in groups]
