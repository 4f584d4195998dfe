"""Every second of a range is answered for by exactly one row of the ledger, as coarse as can be."""

from bisect import bisect_right
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_control_api.analytics.plan import Move, Piece, Plan, RetentionWindow, plan
from modelport_control_api.analytics.query import DAY, HOUR, MINUTE, BucketName, boundaries

SECONDS = {"minute": MINUTE, "hour": HOUR, "day": DAY}
ALL = RetentionWindow(0, 0)
NOON = int(datetime(2026, 6, 10, 12, tzinfo=UTC).timestamp())
MIDNIGHT = NOON - 12 * HOUR
EDGES = st.lists(
    st.integers(NOON // MINUTE, (NOON + 92 * DAY) // MINUTE), min_size=2, max_size=30, unique=True
).map(lambda minutes: [minute * MINUTE for minute in sorted(minutes)])
ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)


def number_of(found: Plan, start: int) -> int:
    """As the database computes it."""
    run = next((run for run in found.runs if start < run.end), found.runs[-1])
    return run.first + (start - run.start) // run.seconds


@settings(deadline=None)
@given(edges=EDGES, minutes_gone=st.integers(0, 100), hours_gone=st.integers(0, 100))
def test_rows_tile_the_range_and_are_kept(edges: list[int], minutes_gone: int, hours_gone: int) -> None:
    kept = RetentionWindow(MIDNIGHT + minutes_gone * DAY, MIDNIGHT + min(minutes_gone, hours_gone) * DAY)
    found = plan(edges, kept)
    in_time = sorted(found.pieces, key=lambda piece: piece.start)
    assert all(before.end == after.start for before, after in pairwise(in_time))
    for rows, start, end in [*found.pieces, *(move[:3] for move in found.moves)]:
        assert start < end
        assert start % SECONDS[rows] == end % SECONDS[rows] == 0
        assert start >= {"minute": kept.minutes_since, "hour": kept.hours_since, "day": 0}[rows]


@settings(deadline=None)
@given(edges=EDGES, minutes_gone=st.integers(0, 100))
def test_an_edge_moves_by_half_an_hour_where_minutes_are_gone(edges: list[int], minutes_gone: int) -> None:
    found = plan(edges, RetentionWindow(MIDNIGHT + minutes_gone * DAY, 0))
    first = min((piece.start for piece in found.pieces), default=edges[0])
    last = max((piece.end for piece in found.pieces), default=edges[-1])
    if not found.moves:
        assert abs(first - edges[0]) <= HOUR / 2
        assert abs(last - edges[-1]) <= HOUR / 2


@settings(deadline=None)
@given(minutes=st.sets(st.integers(0, 3 * 24 * 60), min_size=2, max_size=8))
def test_where_all_is_kept_edges_are_exact(minutes: set[int]) -> None:
    assert_exact([NOON + minute * MINUTE for minute in sorted(minutes)], MINUTE)


@settings(deadline=None)
@given(
    zone=ZONES,
    bucket=st.sampled_from(["minute", "hour", "day"]),
    first=st.integers(NOON, NOON + 300 * DAY),
)
def test_buckets_of_any_zone_are_covered_exactly(zone: ZoneInfo, bucket: BucketName, first: int) -> None:
    length = {"minute": 3 * HOUR, "hour": 4 * DAY, "day": 40 * DAY}[bucket]
    edges = boundaries(first, first + length, bucket, zone)
    # Zones differ by quarters of an hour.
    assert_exact(edges, MINUTE if bucket == "minute" else 15 * MINUTE)
    # A range has few kinds of buckets: that is what keeps the query short.
    assert len(plan(edges, ALL).runs) <= 7


def assert_exact(edges: list[int], step: int) -> None:
    """Every step of time is counted in its bucket, once, and nothing else is."""
    found = plan(edges, ALL)
    counted = Counter(
        (number_of(found, moment - moment % SECONDS[piece.rows]), moment)
        for piece in found.pieces
        for moment in range(piece.start, piece.end, step)
    )
    for move in found.moves:
        for moment in range(move.start, move.end, step):
            counted[move.to, moment] += move.to >= 0
            counted[move.away_from, moment] -= move.away_from >= 0
    moments = range(edges[0], edges[-1], step)
    right = Counter((bisect_right(edges, moment) - 1, moment) for moment in moments)
    assert {each: times for each, times in counted.items() if times} == right


def test_the_coarsest_rows_that_fit_are_taken() -> None:
    utc, paris, india = (ZoneInfo(name) for name in ("UTC", "Europe/Paris", "Asia/Kolkata"))
    assert kinds(boundaries(NOON, NOON + 80 * DAY, "day", utc)) == {"day"}
    assert kinds(boundaries(NOON, NOON + 80 * DAY, "day", paris)) == {"day"}
    assert kinds(boundaries(NOON, NOON, "day", india)) == {"hour", "minute"}
    assert kinds(boundaries(NOON, NOON + 9 * DAY, "hour", paris)) == {"hour"}
    assert kinds([NOON - 5 * DAY - 90 * MINUTE, NOON]) == {"minute", "hour", "day"}


def test_days_of_a_zone_are_mended_by_the_hours_between_midnights() -> None:
    edges = boundaries(NOON, NOON + 2 * DAY, "day", ZoneInfo("Europe/Paris"))
    found = plan(edges, ALL)
    assert found.pieces == [Piece("day", MIDNIGHT, MIDNIGHT + 3 * DAY)]
    assert found.moves == [
        Move("hour", MIDNIGHT - 2 * HOUR, MIDNIGHT, 0, -1),
        Move("hour", MIDNIGHT + DAY - 2 * HOUR, MIDNIGHT + DAY, 1, 0),
        Move("hour", MIDNIGHT + 2 * DAY - 2 * HOUR, MIDNIGHT + 2 * DAY, 2, 1),
        Move("hour", MIDNIGHT + 3 * DAY - 2 * HOUR, MIDNIGHT + 3 * DAY, -1, 2),
    ]


def test_two_days_that_share_a_midnight_are_distinguished() -> None:
    """In New Zealand clocks go on by an hour, and midnight from 12:00 UTC to 11:00 UTC."""
    change = int(datetime(2026, 9, 27, tzinfo=UTC).timestamp())
    assert_exact(boundaries(change - 4 * DAY, change + 4 * DAY, "day", ZoneInfo("Pacific/Auckland")), HOUR)


def test_where_minutes_are_gone_an_edge_moves_to_the_nearest_hour() -> None:
    edges = [NOON + 20 * MINUTE, NOON + 5 * HOUR + 30 * MINUTE]
    found = plan(edges, RetentionWindow(NOON + DAY, 0))
    assert found.pieces == [Piece("hour", NOON, NOON + 6 * HOUR)]


def test_where_hours_are_gone_an_edge_moves_to_the_nearest_day() -> None:
    found = plan(
        [MIDNIGHT + HOUR, MIDNIGHT + DAY + 13 * HOUR], RetentionWindow(NOON + 9 * DAY, MIDNIGHT + 9 * DAY)
    )
    assert found.pieces == [Piece("day", MIDNIGHT, MIDNIGHT + 2 * DAY)]


def test_a_retention_leaves_whole_hours_and_days() -> None:
    kept = RetentionWindow.after(NOON + 61, minute_days=14, hour_days=120)
    assert kept.minutes_since == NOON + HOUR - 14 * DAY
    assert kept.hours_since == MIDNIGHT + DAY - 120 * DAY


def kinds(edges: list[int]) -> set[str]:
    return {piece.rows for piece in plan(edges, ALL).pieces}
