"""Which rows of the ledger make up a range: days within, hours at their edges, minutes at those. Pure.

Times are seconds since 1970 UTC. The ledger's hours and days are those of UTC.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, Self

from modelport_control_api.analytics.query import (
    DAY,
    HOUR,
    MINUTE,
    SECONDS,
    BucketName,
    Query,
    Range,
    resolve,
)
from modelport_control_api.settings import Settings

HALF_DAY = DAY // 2
"""What is moved lies within the half of a UTC day: no other edge's is there."""
# Clocks are put on by two hours at most.
_SHORTEST_DAY = 22 * HOUR


class Piece(NamedTuple):
    """The rows of one size that begin in `[start, end)`."""

    rows: BucketName
    start: int
    end: int


class Run(NamedTuple):
    """Buckets of equal length, from the one with the number `first` on."""

    start: int
    end: int
    seconds: int
    first: int


class Move(NamedTuple):
    """What rows in `[start, end)` count belongs to the bucket `to`, and not to `away_from` (-1: to none)."""

    rows: BucketName
    start: int
    end: int
    to: int
    away_from: int


@dataclass(frozen=True, slots=True)
class RetentionWindow:
    """From when on the ledger has every minute, and every hour; a whole hour and a whole day."""

    minutes_since: int
    hours_since: int

    @classmethod
    def after(cls, now: int, minute_days: int, hour_days: int) -> "RetentionWindow":
        """What was not yet removed by a retention of so many days."""
        return cls(_up(now - minute_days * DAY, HOUR), _up(now - hour_days * DAY, DAY))


@dataclass(frozen=True, slots=True)
class Plan:
    """All rows lie in `pieces`; `runs` map each row to its bucket; `moves` mend the buckets' sums."""

    pieces: list[Piece]
    runs: list[Run]
    moves: list[Move] = field(default_factory=list)


def plan(boundaries: Sequence[int], retained: RetentionWindow) -> Plan:
    """Cover the buckets between the boundaries, without a gap, no row twice.

    Where minutes are gone a boundary within an hour moves to the nearest hour, and where hours are gone to
    the nearest day.
    """
    edges = [_where_retained(edge, retained) for edge in boundaries]
    if even := _plan_even(edges):
        return even
    if len(edges) > 2 and all(end - start >= _SHORTEST_DAY for start, end in pairwise(edges)):
        return _plan_days(edges)
    return Plan(_covering(edges), _runs(edges))


def _plan_even(edges: list[int]) -> Plan | None:
    """Buckets that are rows of the ledger each: of the most there can be, and planned at once."""
    start, end, seconds = edges[0], edges[-1], edges[1] - edges[0]
    for size in SECONDS:
        if SECONDS[size] == seconds and edges == list(range(start - start % seconds, end + 1, seconds)):
            return Plan([Piece(size, start, end)], [Run(start, end, seconds, 0)])
    return None


def _plan_days(edges: list[int]) -> Plan:
    """A day of some zone is one of UTC, but for the hours between their midnights: far fewer rows."""
    midnights = [_nearest(edge, DAY) for edge in edges]
    moves: list[Move] = []
    for number, (edge, midnight) in enumerate(zip(edges, midnights, strict=True)):
        before, behind = number - 1, number if number < len(edges) - 1 else -1
        # What lies before an edge is the bucket's before it, on whichever side of midnight.
        to, away_from = (behind, before) if edge < midnight else (before, behind)
        pieces = _cover(min(edge, midnight), max(edge, midnight), ("hour", "minute"))
        moves += [Move(*piece, to, away_from) for piece in pieces]
    return Plan(_covering(midnights), _runs(midnights), moves)


def _where_retained(edge: int, retained: RetentionWindow) -> int:
    if edge < retained.hours_since:
        return _nearest(edge, DAY)
    return _nearest(edge, HOUR) if edge < retained.minutes_since else edge - edge % MINUTE


def _cover(start: int, end: int, sizes: Sequence[BucketName]) -> Iterator[Piece]:
    if not sizes or start >= end:
        return
    size, *smaller = sizes
    first, last = _up(start, SECONDS[size]), end - end % SECONDS[size]
    if first >= last:
        yield from _cover(start, end, smaller)
        return
    yield from _cover(start, first, smaller)
    yield Piece(size, first, last)
    yield from _cover(last, end, smaller)


def _covering(edges: list[int]) -> list[Piece]:
    pieces = [piece for start, end in pairwise(edges) for piece in _cover(start, end, tuple(SECONDS))]
    return _joined(pieces)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Of each size in order; what follows on each other is one."""
    joined: list[Piece] = []
    for piece in sorted(pieces):
        if joined and joined[-1].rows == piece.rows and joined[-1].end == piece.start:
            joined[-1] = joined[-1]._replace(end=piece.end)
        else:
            joined.append(piece)
    return joined


def _runs(edges: list[int]) -> list[Run]:
    runs: list[Run] = []
    for number, (start, end) in enumerate(pairwise(edges)):
        # A day between two edges that have the same midnight has no day of UTC.
        if end == start:
            continue
        if runs and _goes_on(runs[-1], number, end):
            runs[-1] = runs[-1]._replace(end=end)
        else:
            runs.append(Run(start, end, end - start, number))
    return runs


def _goes_on(run: Run, number: int, end: int) -> bool:
    return end - run.end == run.seconds and run.first + (run.end - run.start) // run.seconds == number


def _up(moment: int, seconds: int) -> int:
    return -(-moment // seconds) * seconds


def _nearest(moment: int, seconds: int) -> int:
    return (moment + seconds // 2) // seconds * seconds


# Rows go by the gateways' clocks and are removed by the database's neighbor: no edge is cut that fine.
_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """`series`: by bucket; `whole`: the same range as one; `before`: the period of equal length before it."""

    range: Range
    series: Plan
    whole: Plan
    before: Plan

    @classmethod
    def of(cls, query: Query, settings: Settings, now: datetime) -> Self:
        """Raises InvalidFields."""
        retained = RetentionWindow.after(
            int((now + _MARGIN).timestamp()),
            settings.usage_minute_retention_days,
            settings.usage_hour_retention_days,
        )
        range_ = resolve(query, now, {"minute": retained.minutes_since, "hour": retained.hours_since})
        start, end = range_.boundaries[0], range_.boundaries[-1]
        return cls(
            range_,
            series=plan(range_.boundaries, retained),
            whole=plan((start, end), retained),
            before=plan((start - (range_.until - start), start), retained),
        )
