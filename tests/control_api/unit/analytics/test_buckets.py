"""Buckets follow the clocks of any time zone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_control_api.analytics.query import DAY, HOUR, MINUTE, BucketName, boundaries

ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
# Long enough for what countries did to their calendars (Samoa left out 2011-12-30).
MOMENTS = st.integers(int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()), 2_000_000_000)
LENGTHS: dict[BucketName, int] = {"minute": 3 * HOUR, "hour": 4 * DAY, "day": 92 * DAY}


def local(moment: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment, zone)


def hours_of_days(first: str, days: int, zone: str) -> list[float]:
    begin = datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(zone))
    end = begin + timedelta(days=days)
    found = boundaries(int(begin.timestamp()), int(end.timestamp()) - 1, "day", begin.tzinfo)
    return [(after - before) / HOUR for before, after in pairwise(found)]


@settings(deadline=None)
@given(first=MOMENTS, share=st.floats(0, 1), bucket=st.sampled_from(list(LENGTHS)), zone=ZONES)
def test_buckets_cover_the_range_and_no_more(
    first: int, share: float, bucket: BucketName, zone: ZoneInfo
) -> None:
    last = first + int(share * LENGTHS[bucket])
    found = boundaries(first, last, bucket, zone)
    assert all(before < after for before, after in pairwise(found))
    assert found[0] <= first < found[1]
    assert found[-2] <= last < found[-1]
    assert all(moment % MINUTE == 0 for moment in found)


@settings(deadline=None)
@given(first=MOMENTS, zone=ZONES)
def test_a_day_begins_when_the_date_changes(first: int, zone: ZoneInfo) -> None:
    for moment in boundaries(first, first + 40 * DAY, "day", zone):
        assert local(moment, zone).date() > local(moment - MINUTE, zone).date()


def test_days_of_a_clock_change_have_23_and_25_hours() -> None:
    assert hours_of_days("2026-03-28", 3, "Europe/Paris") == [24, 23, 24]
    assert hours_of_days("2026-10-24", 3, "Europe/Paris") == [24, 25, 24]


def test_what_countries_do_to_midnight() -> None:
    # Midnight is left out, and shown twice; a whole date is left out.
    assert hours_of_days("2026-04-23", 3, "Africa/Cairo") == [24, 23, 24]
    assert hours_of_days("2026-10-31", 3, "America/Havana") == [24, 25, 24]
    assert hours_of_days("2011-12-29", 4, "Pacific/Apia") == [24, 24, 24]


def test_hours_are_those_of_utc_also_on_clocks_half_an_hour_off() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    noon = int(datetime(2026, 6, 1, 12, 10, tzinfo=zone).timestamp())
    starts = [local(moment, zone).strftime("%H:%M") for moment in boundaries(noon, noon, "hour", zone)]
    assert starts == ["11:30", "12:30"]
