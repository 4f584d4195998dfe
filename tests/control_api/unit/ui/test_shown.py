"""What users read of a model's state, and of moments."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from modelport_control_api.db.base import utc_now
from modelport_control_api.ui.shown import ago, status_word


@dataclass(frozen=True)
class Thing:
    status: str
    traffic: object


@pytest.mark.parametrize(
    ("status", "traffic", "word"),
    [
        ("pending", {}, "Starting"),
        # It serves: the share moves, or a new version is about to take over.
        ("pending", {"v1": 100}, "Updating"),
        ("ready", {"v1": 90, "v2": 10}, "Ready"),
        ("degraded", {"v1": 100}, "Degraded"),
        ("failed", {}, "Failed"),
        # A version's own share, in percent.
        ("pending", 0, "Starting"),
        ("ready", 10, "Ready"),
    ],
)
def test_the_word_for_a_status(status: str, traffic: object, word: str) -> None:
    assert status_word(Thing(status, traffic)) == word


@pytest.mark.parametrize(
    ("later", "shown"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=-70), "1 minute ago"),
        (timedelta(hours=-25), "1 day ago"),
        (timedelta(minutes=5, seconds=30), "in 5 minutes"),
        # Of something that was made a moment ago and lasts as long.
        (timedelta(hours=24), "in 1 day"),
        (timedelta(days=7), "in 7 days"),
    ],
)
def test_a_moment_is_told_by_its_distance(later: timedelta, shown: str) -> None:
    assert ago(utc_now() + later) == shown
