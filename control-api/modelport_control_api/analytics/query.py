"""What is asked for: a range, cut into buckets that begin when clocks in some time zone say so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modelport_control_api.analytics.buckets import DAY, HOUR, MINUTE, SECONDS, BucketName, boundaries
from modelport_control_api.errors import InvalidFields

_LONGEST_SECONDS: Mapping[BucketName, int] = {"minute": 6 * HOUR, "hour": 14 * DAY, "day": 90 * DAY}
# So that an answer has at most 360 points: more of them no chart shows, and each costs.
_LONGEST = {"minute": "6 hours", "hour": "14 days", "day": "90 days"}
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
    """Widen what was asked for to whole buckets. Raises InvalidFields.

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
        message = f"must be at most {_LONGEST[bucket]} before to when bucket is {bucket}: {_LONGER[bucket]}"
        raise InvalidFields(("from", message))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    # ValueError: what cannot be a name (a path, a NUL); OSError: a folder of zones.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidFields(("timezone", "must be an IANA name, such as Europe/Paris")) from error


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
