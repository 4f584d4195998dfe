"""Which column holds times, and what the wording says where none does."""

from datetime import UTC, datetime, timedelta

import pytest
from modelport_control_api.drift.messages import season_advice
from modelport_control_api.drift.profiles.times import hour_of, time_column
from modelport_control_api.drift.schemas import ReferenceAnswer, Window


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-11-28T14:05:00", 14),
        ("2026-11-28 14:05", 14),
        ("2026-11-28T14:05:00Z", 14),
        ("2026-11-28T14:05:00+02:00", 12),
        ("2026-11-28", None),
        ("1764338700", None),
        ("", None),
    ],
)
def test_hours_of_the_day_are_utc(text: str, hour: int | None) -> None:
    assert hour_of(text) == hour


def test_a_column_is_one_of_times_only_if_every_cell_is() -> None:
    assert time_column([["1", "2026-11-28T14:05"], ["2", "2026-11-28T15:05"]], 2) == 1
    assert time_column([["1", "2026-11-28T14:05"], ["2", "never"]], 2) is None


def test_a_short_window_says_that_it_knows_no_time_of_day() -> None:
    now = datetime.now(UTC)
    hour = Window(start=now, end=now + timedelta(minutes=60), rows=500)
    day = Window(start=now, end=now + timedelta(days=2), rows=500)
    plain = ReferenceAnswer(rows=100, features=1, unmatched=[], created_at=now)
    timed = plain.model_copy(update={"time_column": "at"})
    assert "spans 60 minutes only" in season_advice("drift", plain, hour)
    assert season_advice("drift", timed, hour) == ""
    assert season_advice("drift", plain, day) == ""
    assert season_advice("ok", plain, hour) == ""
