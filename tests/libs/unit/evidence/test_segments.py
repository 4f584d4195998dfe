"""Which parts of the rows are shown as those where versions disagree most."""

from modelport_evidence import counters
from modelport_evidence.segments import Segment, worst_segments


def counts(rows: int, differing: int, **segments: tuple[int, int]) -> dict[str, int]:
    found = {counters.ROWS: rows, counters.DISAGREEMENTS: differing}
    for name, (inside, among) in segments.items():
        found |= {counters.segment_rows(name): inside, counters.segment_disagreements(name): among}
    return found


def test_the_worst_have_the_most_disagreements_beyond_the_usual_share() -> None:
    found = worst_segments(counts(1000, 20, common=(900, 18), red=(100, 12), rare=(1, 1), good=(50, 0)), 10)
    # 2 % of all rows differ: of 100 red ones 2 would, of 900 common ones 18.
    assert found == [Segment("red", 100, 12), Segment("rare", 1, 1)]
    assert worst_segments(counts(1000, 20, red=(100, 12), rare=(1, 1)), 1) == [Segment("red", 100, 12)]


def test_where_nothing_differs_none_is_the_worst() -> None:
    assert worst_segments(counts(1000, 0, red=(100, 0)), 10) == []
    assert worst_segments({}, 10) == []
    assert worst_segments({counters.segment_rows("red"): 5}, 10) == []


def test_names_that_hold_values_of_rows_are_known() -> None:
    of_segments = (counters.segment_rows("a: b"), counters.segment_disagreements("a: b"))
    others = (counters.ROWS, counters.shadow_latency("candidate", 7), counters.live_errors("baseline"))
    assert [counters.is_of_segment(each) for each in (*of_segments, *others)] == [True] * 2 + [False] * 3


def test_latencies_are_those_of_one_side() -> None:
    found = {counters.shadow_latency(side, bucket): bucket + 1 for side in ("a", "b") for bucket in (0, 12)}
    found |= {counters.live_latency("a", 7): 3}
    assert counters.latencies(found, counters.shadow_latency, "a") == {0: 1, 12: 13}
    assert counters.latencies(found, counters.live_latency, "a") == {7: 3}
