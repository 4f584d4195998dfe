"""Alerts that were written for the former names go on working for one release."""

from modelport_store.metrics import LIMITS_NOT_ENFORCED, STORE_DEGRADED
from prometheus_client import REGISTRY


def test_a_metric_has_the_same_value_under_its_former_name() -> None:
    LIMITS_NOT_ENFORCED.labels("former").inc(3)
    name, labels = "modelport_limits_not_enforced_total", {"limit": "former"}
    former = name.replace("modelport_", "modelport_edge_")
    assert REGISTRY.get_sample_value(name, labels) == REGISTRY.get_sample_value(former, labels) == 3


def test_a_gauge_follows() -> None:
    STORE_DEGRADED.set(1)
    assert REGISTRY.get_sample_value("modelport_edge_store_degraded") == 1
    STORE_DEGRADED.set(0)
    assert REGISTRY.get_sample_value("modelport_edge_store_degraded") == 0
