"""Where versions disagree: the part of the rows that most disagreements are of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modelport_evidence import counters
from modelport_evidence.rates import rate_interval


@dataclass(frozen=True)
class Segment:
    """Compared rows of which one thing is true, such as `shape` is missing."""

    name: str
    rows: int
    disagreements: int


def worst_segment(counts: Mapping[str, int], level: float) -> str | None:
    """Return the segment, such as `shape` is missing, that holds at least half of all disagreements and in
    which they are surely more frequent than elsewhere; None: there is none, or it is not sure."""
    rows, differing = counts.get(counters.ROWS, 0), counts.get(counters.DISAGREEMENTS, 0)
    found = list(segments_of(counts))
    for each in sorted(found, key=lambda each: -each.disagreements):
        if 2 * each.disagreements < differing:
            return None
        shared = level / (2 * len(found))
        here = rate_interval(each.disagreements, each.rows, shared)
        elsewhere = rate_interval(max(0, differing - each.disagreements), max(0, rows - each.rows), shared)
        if here.lower > elsewhere.upper:
            return each.name
    return None


def worst_segments(counts: Mapping[str, int], most: int) -> list[Segment]:
    """Return those with more disagreements than the share among all rows lets expect, the most first. To be
    looked at: nothing is certain about them."""
    rows, differing = counts.get(counters.ROWS, 0), counts.get(counters.DISAGREEMENTS, 0)
    usual = differing / rows if rows else 0.0
    excess = {each: each.disagreements - usual * each.rows for each in segments_of(counts)}
    return [each for each in sorted(excess, key=lambda each: -excess[each]) if excess[each] > 0][:most]


def segments_of(counts: Mapping[str, int]) -> Iterator[Segment]:
    """Give each segment that was counted, in the order of the counts."""
    prefix = counters.segment_rows("")
    for name, rows in counts.items():
        if name.startswith(prefix):
            segment = name.removeprefix(prefix)
            yield Segment(segment, rows, counts.get(counters.segment_disagreements(segment), 0))
