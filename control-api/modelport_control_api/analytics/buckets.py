"""Where buckets begin: days at midnight in a time zone, hours and minutes with those of UTC. Pure.

Times are seconds since 1970 UTC. A day has 23, 24 or 25 hours.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60, 3600, 86_400
BucketName = Literal["minute", "hour", "day"]
SECONDS: Mapping[BucketName, int] = {"day": DAY, "hour": HOUR, "minute": MINUTE}
"""The coarsest first."""


def boundaries(first: int, last: int, bucket: BucketName, zone: ZoneInfo) -> list[int]:
    """Give the beginnings of all buckets from that of `first` to that behind `last`, both seconds."""
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
