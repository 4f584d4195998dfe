"""What is noted of each prediction is what Prometheus is shown."""

import random

from modelport_gateway.metrics import Predictions
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30)


def shown(registry: CollectorRegistry) -> list[str]:
    """Without the moments at which series began, which nobody asks for."""
    lines = generate_latest(registry).decode().splitlines()
    return sorted(line for line in lines if "_created" not in line)


def test_it_is_what_prometheus_clients_own_counter_and_histogram_would_show() -> None:
    own, theirs, counted = CollectorRegistry(), CollectorRegistry(), Predictions()
    own.register(counted)
    words = "Predictions by status class and cache state."
    requests = Counter("modelport_gateway_requests_total", words, ["status", "cache"], registry=theirs)
    words = "From the request's first byte to the response's last."
    latency = Histogram(
        "modelport_gateway_request_duration_seconds", words, ["cache"], buckets=EDGES, registry=theirs
    )
    draw = random.Random(3)
    for number in range(5000):
        # Sums of binary fractions are exact in any order.
        seconds = draw.choice((*EDGES, 40, draw.randrange(1, 4000) / 1024)) if number % 3 else 0.5
        seconds = round(seconds * 1024) / 1024
        status, cache = draw.choice((200, 201, 404, 429, 503)), draw.choice(("hit", "miss", "bypass", "none"))
        counted.count(status, cache, seconds)
        requests.labels(f"{status // 100}xx", cache).inc()
        latency.labels(cache).observe(seconds)
        if number % 1700 == 0:
            assert shown(own) == shown(theirs)
    assert shown(own) == shown(theirs)


def test_an_edge_belongs_to_its_bucket_and_nothing_waits_for_ever() -> None:
    counted = Predictions()
    for _ in range(10_000):
        counted.count(200, "hit", 0.001)
    assert len(counted._counted[2, "hit"].noted) < 1000
    registry = CollectorRegistry()
    registry.register(counted)
    assert (
        registry.get_sample_value(
            "modelport_gateway_request_duration_seconds_bucket", {"cache": "hit", "le": "0.001"}
        )
        == 10_000
    )
