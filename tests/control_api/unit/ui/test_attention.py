"""Which models stand first: those that fail, then those that drift, then those with most requests."""

from typing import Any

import pytest
from modelport_control_api.analytics.schemas import ModelUsage
from modelport_control_api.ui.models.attention import FAILING_SHARE, fails_often, urgency


def used(requests: int, errors: int = 0) -> ModelUsage:
    figures: dict[str, Any] = {"refused": 0, "cache_hits": 0, "cache_hit_rate": None}
    figures |= {"p50_ms": None, "p95_ms": None, "p99_ms": None}
    rate = errors / requests if requests else None
    return ModelUsage(id="iris", name="Iris", requests=requests, errors=errors, error_rate=rate, **figures)


def test_the_most_urgent_come_first() -> None:
    in_order = [
        urgency("failed", used(9), drifts=False),
        urgency("failed", None, drifts=True),
        urgency("degraded", used(5), drifts=False),
        urgency("ready", used(100, 5), drifts=False),
        urgency("ready", used(10, 10), drifts=True),
        urgency("ready", used(7, 0), drifts=True),
        urgency("pending", None, drifts=True),
        urgency("ready", used(1000, 49), drifts=False),
        urgency("ready", used(3), drifts=False),
        urgency("pending", used(2), drifts=False),
        urgency("ready", None, drifts=False),
    ]
    assert in_order == sorted(in_order)
    assert len(set(in_order)) == len(in_order)


@pytest.mark.parametrize(
    ("usage", "fails"),
    [(None, False), (used(0), False), (used(100), False), (used(100, 4), False), (used(100, 5), True)],
)
def test_a_model_fails_from_a_twentieth_of_its_requests_on(usage: ModelUsage | None, fails: bool) -> None:
    assert FAILING_SHARE == 0.05
    assert fails_often(usage) is fails
