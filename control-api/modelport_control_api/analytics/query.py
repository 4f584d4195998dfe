"""The query: a range, cut into buckets that begin by the clocks of some time zone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modelport_control_api.errors import InvalidFields

MINUTE, HOUR, DAY = 60, 3600, 86_400
BucketName = Literal["minute", "hour", "day"]
SECONDS: Mapping[BucketName, int] = {"day": DAY, "hour": HOUR, "minute": MINUTE}
"""The coarsest first."""


def boundaries(first: int, last: int, bucket: BucketName, zone: ZoneInfo) -> list[int]:
    """Return the beginnings of all buckets from that of `first` to that behind `last`, both seconds."""
    if bucket == "day":
        return _days(first, last, zone)
    # Those of UTC in every zone. Where clocks are off by part of an hour, hours of theirs would have to be
    # added up from minutes: a hundred times the rows.
    seconds = SECONDS[bucket]
    return list(range(first - first % seconds, last - last % seconds + seconds + 1, seconds))


def _days(first: int, last: int, zone: ZoneInfo) -> list[int]:
    found: list[int] = []
    for midnight in _midnights(first, zone):
        # A day that a country left out begins when the next one does.
        if found and midnight <= found[-1]:
            continue
        # A clock put back over midnight shows the day before again.
        found = [midnight] if midnight <= first else [*found, midnight]
        if midnight > last:
            break
    return found


def _midnights(first: int, zone: ZoneInfo) -> Iterator[int]:
    day: date = datetime.fromtimestamp(first, zone).date() - timedelta(days=1)
    while True:
        # Of a skipped midnight: the instant of the change; of a repeated one: the first. To the minute, since
        # that is what is counted by.
        yield int(datetime.combine(day, time(), zone).timestamp()) // MINUTE * MINUTE
        day += timedelta(days=1)


_LONGEST_SECONDS: Mapping[BucketName, int] = {"minute": 6 * HOUR, "hour": 14 * DAY, "day": 90 * DAY}
# So that a response has at most 360 points: more of them no chart shows, and each costs.
LONGEST: Mapping[BucketName, str] = {"minute": "6 hours", "hour": "14 days", "day": "90 days"}
_LONGER = {"minute": "ask for hours", "hour": "ask for days", "day": "ask for a part of it"}
_DEFAULT_SECONDS: Mapping[BucketName, int] = {"minute": 59 * MINUTE, "hour": 23 * HOUR, "day": 29 * DAY}
_EARLIEST = 2 * DAY


@dataclass(frozen=True, slots=True)
class Query:
    """`from_` and `to` are aware. None: up to now; the last 60 minutes, 24 hours or 30 days."""

    from_: datetime | None = None
    to: datetime | None = None
    bucket: BucketName = "hour"
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Range:
    """Whole buckets. `boundaries`: where each begins, and where the last ends; seconds since 1970 UTC.

    `until` is that end, or now while the last bucket runs.
    """

    bucket: BucketName
    zone: ZoneInfo
    boundaries: list[int]
    until: int

    @property
    def start(self) -> int:
        return self.boundaries[0]


def resolve(query: Query, now: datetime, kept_since: Mapping[BucketName, int]) -> Range:
    """Widen what was requested to whole buckets. Raises InvalidFields.

    `kept_since`: from when on the ledger has the minutes, and the hours.
    """
    zone = _zone(query.timezone)
    # What ends at 10:00 has no part of the bucket that begins then; now is within one.
    last = _seconds(now) if query.to is None or query.to > now else _seconds(query.to) - 1
    first = last - _DEFAULT_SECONDS[query.bucket] if query.from_ is None else _seconds(query.from_)
    _check(query.bucket, first, last)
    found = boundaries(first, last, query.bucket, zone)
    if found[0] < kept_since.get(query.bucket, found[0]):
        since = datetime.fromtimestamp(kept_since[query.bucket], UTC).isoformat()
        raise InvalidFields(("from", f"must be {since} or later: earlier {query.bucket}s are not kept"))
    return Range(query.bucket, zone, found, min(found[-1], _seconds(now)))


def _check(bucket: BucketName, first: int, last: int) -> None:
    if first < _EARLIEST or last < _EARLIEST:
        raise InvalidFields(("from" if first < _EARLIEST <= last else "to", "must be later than 1970"))
    if first > last:
        raise InvalidFields(("from", "must be before to, and in the past"))
    # One bucket more: `from` may be a moment older than the now that `to` stands for.
    if last - first >= _LONGEST_SECONDS[bucket] + SECONDS[bucket]:
        message = f"must be at most {LONGEST[bucket]} before to when bucket is {bucket}: {_LONGER[bucket]}"
        raise InvalidFields(("from", message))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    # ValueError: what cannot be a name (a path, a NUL); OSError: a folder of zones.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidFields(("timezone", "must be an IANA name, such as Europe/Paris")) from error


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
