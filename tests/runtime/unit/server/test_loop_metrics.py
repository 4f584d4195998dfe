"""Metrics without locks show what the library's own classes show."""

import re
from collections.abc import Sequence

import pytest
from modelport_runtime.loop_metrics import LoopCounter, LoopHistogram
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_CREATED = re.compile(r"(_created\S*) \S+")


def page(registry: CollectorRegistry) -> str:
    """The text that Prometheus reads, less the seconds at which the numbers began."""
    return _CREATED.sub(r"\1", generate_latest(registry).decode())


def test_a_counter() -> None:
    ours, theirs = CollectorRegistry(auto_describe=True), CollectorRegistry()
    counter = LoopCounter("requests_total", "What came.", ["protocol", "status"], ours)
    library = Counter("requests_total", "What came.", ["protocol", "status"], registry=theirs)
    assert page(ours) == page(theirs)
    for protocol, status in (("native", 200), ("native", 200), ("v2", 415)):
        counter.count(protocol, status)
        library.labels(protocol, str(status)).inc()
    assert page(ours) == page(theirs)
    assert 'requests_total{protocol="native",status="200"} 2.0' in page(ours)


@pytest.mark.parametrize("seen", [[], [0.5], [1, 1.5, 2, 2.5], [0.001, 3, 1e9]])
def test_a_histogram(seen: Sequence[float]) -> None:
    ours, theirs = CollectorRegistry(auto_describe=True), CollectorRegistry()
    histogram = LoopHistogram("seconds", "How long.", (1, 2, 2.5), ours)
    library = Histogram("seconds", "How long.", buckets=(1, 2, 2.5), registry=theirs)
    for value in seen:
        histogram.observe(value)
        library.observe(value)
    assert page(ours) == page(theirs)
    assert f"seconds_count {float(len(seen))}" in page(ours)
