"""Where versions disagree: the part of the rows that most disagreements are of."""

from collections.abc import Mapping

from modelport_evidence import counters
from modelport_evidence.rates import rate_interval


def worst_segment(counts: Mapping[str, int], level: float) -> str | None:
    """Return the segment, such as `shape` is missing, that holds at least half of all disagreements and in
    which they are surely more frequent than elsewhere; None: there is none, or it is not sure."""
    rows, differing = counts.get(counters.ROWS, 0), counts.get(counters.DISAGREEMENTS, 0)
    prefix = counters.segment_rows("")
    names = [name.removeprefix(prefix) for name in counts if name.startswith(prefix)]
    found = {name: counts.get(counters.segment_disagreements(name), 0) for name in names}
    for name in sorted(names, key=lambda each: -found[each]):
        if 2 * found[name] < differing:
            return None
        inside, outside = counts[counters.segment_rows(name)], rows - counts[counters.segment_rows(name)]
        shared = level / (2 * len(names))
        here = rate_interval(found[name], inside, shared)
        elsewhere = rate_interval(max(0, differing - found[name]), max(0, outside), shared)
        if here.lower > elsewhere.upper:
            return name
    return None
