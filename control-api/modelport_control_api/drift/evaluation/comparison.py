"""One feature's live rows against its reference's: how much they differ, and whether chance explains it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelport_telemetry.drift.bins import FIRST_BIN, MISSING, UNKNOWN, CategoryBins, NumberBins

from modelport_control_api.drift.effective import SELDOM, collisions
from modelport_control_api.drift.statistics import (
    Counts,
    chi_square,
    kolmogorov_smirnov,
    more_than_expected,
    rank_sum,
    share_index,
    stability_index,
    two_shares,
)

# For the stability index: cells with fewer of the reference's rows add more chance than knowledge.
_INDEX_CELLS = 20
_ROWS_IN_A_CELL = 15
# Pearson's test is trusted from about five expected rows a cell. Where the most frequent of many were chosen,
# luck chose too: more rows are needed for a count that does not overstate.
_ROWS_IN_A_CATEGORY = 5
_ROWS_IN_A_CHOSEN_CATEGORY = 15
_OF_A_SHARE = 0.25
"""A share (of missing values, say) matters from a quarter of the index on that a whole distribution needs:
5 % of rows without a value add 0.23 to it, 2 % add 0.07."""
_OF_A_FAR_SHARE = 0.1
"""Values in wrong units are wrong however few they are: 1 % of rows, where the reference has none."""
_ONE_VALUE = 0.2
"""The chance of two equal values that 45 % of rows with one and the same value make."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Counts of a feature's cells on both sides, and how many independent rows they stand for."""

    reference: Counts
    live: Counts
    n: float
    m: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One test: `p`, and what it found, as a part of what is needed to matter (1: it does matter).

    `words`: of what the cells do not show.
    """

    p: float
    weight: float
    words: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """`p_value`: of this feature alone, for all tests made on it."""

    psi: float
    findings: tuple[Finding, ...]

    @property
    def p_value(self) -> float:
        """The smallest p-value of all findings, corrected for their number (Bonferroni)."""
        smallest = min((finding.p for finding in self.findings), default=1.0)
        return min(1.0, len(self.findings) * smallest)

    def matters(self, alpha: float) -> bool:
        """Return whether a test that is sure enough found enough. `alpha`: for this feature."""
        return any(each.p * len(self.findings) < alpha and each.weight > 1 for each in self.findings)

    @property
    def words(self) -> str:
        return "; ".join(finding.words for finding in self.findings if finding.words)


def compare(bins: NumberBins | CategoryBins, sides: Sides, psi_threshold: float) -> Compared:
    """Compare the distributions, and the shares of values that are missing, unknown or beyond all known."""
    if isinstance(bins, NumberBins):
        groups, tests = _number_groups(sides), _number_tests(sides)
    else:
        groups = _category_groups(bins, sides.reference)
        tests = _category_tests(sides, groups)
    psi = _index(sides, groups)
    findings = [Finding(p, psi / psi_threshold) for p in tests]
    findings += _shares(bins, sides, psi_threshold)
    return Compared(psi, tuple(findings))


def one_value(sketch: Sequence[int], rows: int, repetition: float) -> Finding | None:
    """Find a feature that nearly always has one and the same value, where the reference's differ."""
    if repetition > SELDOM or not any(sketch):
        return None
    weight = (collisions(sketch, rows) - repetition) / _ONE_VALUE
    # Chance does not do that.
    return Finding(0.0, weight, "nearly all rows have one and the same value") if weight > 1 else None


def _number_tests(sides: Sides) -> list[float]:
    known, found = sides.reference[FIRST_BIN:], sides.live[FIRST_BIN:]
    there, here = sum(known) / sum(sides.reference), sum(found) / sum(sides.live)
    if not there or not here:
        return []
    sizes = sides.n * there, sides.m * here
    return [kolmogorov_smirnov(known, found, *sizes), rank_sum(known, found, *sizes)]


def _category_tests(sides: Sides, groups: list[list[int]]) -> list[float]:
    cells = groups[1:]
    known, found = _grouped(sides.reference, cells), _grouped(sides.live, cells)
    there, here = sum(known) / sum(sides.reference), sum(found) / sum(sides.live)
    return [chi_square(known, found, sides.n * there, sides.m * here)] if there and here else []


def _shares(bins: NumberBins | CategoryBins, sides: Sides, psi_threshold: float) -> Iterator[Finding]:
    limit = _OF_A_SHARE * psi_threshold
    for cell in (MISSING, UNKNOWN):
        if sides.reference[cell] or sides.live[cell]:
            yield _share(sides, (cell,), limit)
    if isinstance(bins, NumberBins) and any(sides.live[cell] for cell in bins.beyond_cells):
        # Of any continuous feature about two new rows in n are beyond n others.
        yield _share(sides, bins.beyond_cells, limit, at_least=2 / (sides.n + 2))
    if isinstance(bins, NumberBins) and any(sides.live[cell] for cell in bins.far_cells):
        yield _far(sides, bins.far_cells, _OF_A_FAR_SHARE * psi_threshold)


def _share(sides: Sides, cells: tuple[int, ...], limit: float, *, at_least: float = 0.0) -> Finding:
    there, here = _part(sides.reference, cells), _part(sides.live, cells)
    p = two_shares(max(there, at_least), here, sides.n, sides.m) if here > at_least or there else 1.0
    return Finding(p, share_index(there, here, sides.n) / limit)


def _far(sides: Sides, cells: tuple[int, ...], limit: float) -> Finding:
    there, here = _part(sides.reference, cells), _part(sides.live, cells)
    # Of the longest tails one in n is beyond all others by so much; Cauchy's has two in three n.
    expected = max(there, 1 / (sides.n + 1)) * sides.m
    return Finding(more_than_expected(here * sides.m, expected), share_index(there, here, sides.n) / limit)


def _number_groups(sides: Sides) -> list[list[int]]:
    """Neighboring bins together, as long as they hold no more than a group should."""
    total = sum(sides.reference)
    most = max(1 / _INDEX_CELLS, _ROWS_IN_A_CELL / sides.n) * total
    groups: list[list[int]] = [[MISSING], [UNKNOWN]]
    held = total
    for at in range(FIRST_BIN, len(sides.reference)):
        rows = sides.reference[at]
        if held + rows <= most:
            groups[-1].append(at)
            held += rows
        else:
            groups.append([at])
            held = rows
    return groups


def _category_groups(bins: CategoryBins, reference: Counts) -> list[list[int]]:
    """Rare ones are one cell with the unknown: which of the rare came twice in the reference is chance."""
    least = _ROWS_IN_A_CHOSEN_CATEGORY if bins.others else _ROWS_IN_A_CATEGORY
    named = range(FIRST_BIN, FIRST_BIN + len(bins.categories))
    common = [at for at in named if reference[at] >= least]
    rest = [UNKNOWN, *(at for at in range(FIRST_BIN, len(reference)) if at not in set(common))]
    return [[MISSING], *([at] for at in common), rest]


def _index(sides: Sides, groups: list[list[int]]) -> float:
    known, found = _grouped(sides.reference, groups), _grouped(sides.live, groups)
    used = [at for at in range(len(groups)) if known[at] or found[at]]
    return stability_index([known[at] for at in used], [found[at] for at in used], sides.n, sides.m)


def _grouped(counts: Counts, groups: list[list[int]]) -> list[float]:
    return [sum(counts[at] for at in group) for group in groups]


def _part(counts: Counts, cells: tuple[int, ...]) -> float:
    return sum(counts[cell] for cell in cells) / sum(counts)
