"""Which column holds times, and what the wording says where none does."""

from datetime import UTC, datetime, timedelta

import pytest
from modelport_control_api.drift.evaluation.seasons import at_hours
from modelport_control_api.drift.messages import season_advice
from modelport_control_api.drift.profiles.profile import ColumnProfile
from modelport_control_api.drift.profiles.times import slot_of, slot_of_minute, time_column
from modelport_control_api.drift.schemas import ReferenceAnswer, Window
from modelport_telemetry.drift.bins import NumberBins


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-11-27T14:05:00", 14),
        ("2026-11-27 14:05", 14),
        ("2026-11-27T14:05:00Z", 14),
        ("2026-11-27T14:05:00+02:00", 12),
        ("2026-11-28T14:05:00", 24 + 14),
        ("2026-11-30T00:30:00+02:00", 24 + 22),
        ("2026-11-30T00:30:00", 0),
        ("2026-11-28", None),
        ("1764338700", None),
        ("", None),
    ],
)
def test_hours_are_utc_and_those_of_weekends_apart(text: str, hour: int | None) -> None:
    assert slot_of(text) == hour


def test_a_column_is_one_of_times_only_if_every_cell_is() -> None:
    assert time_column([["1", "2026-11-28T14:05"], ["2", "2026-11-28T15:05"]], 2) == 1
    assert time_column([["1", "2026-11-28T14:05"], ["2", "never"]], 2) is None


def test_a_short_window_says_that_it_knows_no_time_of_day() -> None:
    now = datetime(2026, 11, 25, 14, tzinfo=UTC)
    hour = Window(start=now, end=now + timedelta(minutes=60), rows=500)
    day = Window(start=now, end=now + timedelta(days=2), rows=500)
    plain = ReferenceAnswer(rows=100, features=1, unmatched=[], created_at=now)
    timed = plain.model_copy(update={"time_column": "at"})
    assert "spans 60 minutes only" in season_advice("drift", plain, hour)
    assert season_advice("drift", timed, hour) == ""
    assert season_advice("drift", plain, day) == ""
    assert season_advice("ok", plain, hour) == ""


def test_minutes_that_gateways_count_have_the_hours_of_a_reference() -> None:
    for day in range(14):
        moment = datetime(2026, 11, 1, 22, 59, tzinfo=UTC) + timedelta(days=day, hours=day)
        assert slot_of_minute(int(moment.timestamp()) // 60) == slot_of(moment.isoformat())


def test_a_weekend_that_the_reference_lacks_is_pointed_out() -> None:
    saturday = datetime(2026, 11, 28, 23, 0, tzinfo=UTC)
    timed = ReferenceAnswer(rows=100, features=1, unmatched=[], created_at=saturday, time_column="at")

    def advice(start: datetime, hours: int, weekend_rows: int) -> str:
        window = Window(start=start, end=start + timedelta(hours=hours), rows=500)
        return season_advice("drift", timed, window, weekend_rows=weekend_rows)

    assert "rows of a weekend" in advice(saturday, 1, 0)
    assert "rows of a weekend" in advice(saturday - timedelta(days=1), 2, 0)
    assert "rows of a weekend" in advice(saturday - timedelta(days=3), 24 * 6, 5)
    assert advice(saturday, 1, 500) == ""
    assert advice(saturday - timedelta(days=2), 1, 0) == ""
    assert season_advice("ok", timed, Window(start=saturday, end=saturday, rows=500)) == ""


def test_few_rows_of_an_hour_are_helped_by_those_beside_it_and_then_by_other_days() -> None:
    def column(weekday: int, weekend: int) -> ColumnProfile:
        """So many rows of each hour: cell 2 on weekdays, cell 3 on weekends."""
        hours = {hour: [0, 0, weekday, weekend] for hour in range(24)}
        bins = NumberBins((0.0,))
        weekends = {hour: [0, 0, 0, weekend] for hour in range(24) if weekend}
        return ColumnProfile("x", 0, bins, [0, 0, 24 * weekday, 24 * weekend], hours=hours, weekend=weekends)

    assert at_hours(column(40, 30), {24: 9}) == ([0, 0, 0, 30], 30)
    assert at_hours(column(40, 30), {0: 9}) == ([0, 0, 40, 0], 40)
    assert at_hours(column(40, 9), {24 + 23: 9}) == ([0, 0, 0, 27], 27)
    assert at_hours(column(40, 2), {24 + 23: 9}) == ([0, 0, 40, 2], 42)
    assert at_hours(column(40, 0), {24 + 23: 9}) == ([0, 0, 40, 0], 40)
    assert at_hours(column(5, 1), {3: 9}) is None
