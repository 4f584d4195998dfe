"""What users read of a model's state."""

from dataclasses import dataclass

import pytest
from modelport_control_api.ui.shown import status_word


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
