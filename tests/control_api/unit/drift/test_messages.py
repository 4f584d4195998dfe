"""The state of drift in words, as pages and API show it."""

from datetime import UTC, datetime

import pytest
from modelport_control_api.drift.messages import state_message
from modelport_control_api.drift.records import DriftRecord, WatchedState, counted_now

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def record(state: WatchedState, rows: int, wanted_rows: int) -> DriftRecord:
    return DriftRecord(state, NOW, rows, wanted_rows, results=())


@pytest.mark.parametrize(
    ("rows", "wanted_rows", "said"),
    [
        (0, 0, "Collecting: 0 sampled rows so far."),
        (1, 0, "Collecting: 1 sampled row so far."),
        (0, 500, "Collecting: 0 of 500 sampled rows."),
        (1234, 5000, "Collecting: 1,234 of 5,000 sampled rows."),
        # Full, and about to be evaluated.
        (600, 500, "Collecting: 500 of 500 sampled rows."),
    ],
)
def test_how_many_rows_are_collected(rows: int, wanted_rows: int, said: str) -> None:
    assert state_message(record("collecting", rows, wanted_rows)) == said


def test_while_collecting_what_is_counted_now_is_shown() -> None:
    assert state_message(counted_now(record("collecting", 0, 0), 12, 500)) == (
        "Collecting: 12 of 500 sampled rows."
    )


def test_what_was_found_is_of_the_rows_that_were_evaluated() -> None:
    found = counted_now(record("ok", 1500, 500), 2000, 500)
    assert state_message(found) == "The newest 1,500 sampled rows are distributed as the reference is."
