"""What the gateway counts. On the default registry, which /metrics shows."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf

from prometheus_client import REGISTRY, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

UPSTREAM_ERRORS = Counter(
    "modelport_gateway_upstream_errors_total", "Calls to a model that failed, by how.", ["kind"]
)
FALLBACKS = Counter(
    "modelport_gateway_fallbacks_total",
    "Requests served without a component that was away: the store, or the control API.",
    ["without"],
)
WATCH_RESTARTS = Counter("modelport_gateway_watch_restarts_total", "Watches that broke.", ["kind"])
IN_FLIGHT = Gauge(
    "modelport_gateway_in_flight_requests", "Requests sent to models that have no response yet."
)
WAITING = Gauge("modelport_gateway_waiting_requests", "Requests that wait for a free place at their model.")
USAGE_DROPPED = Counter(
    "modelport_gateway_usage_dropped_requests_total",
    "Requests whose usage was forgotten: too much waited to be written down.",
)
USAGE_UNCONFIRMED_BATCHES = Gauge(
    "modelport_gateway_usage_unconfirmed_batches", "Batches of usage that are not known to be written down."
)
USAGE_UNCONFIRMED_REQUESTS = Gauge(
    "modelport_gateway_usage_unconfirmed_requests", "Requests in those batches."
)
USAGE_SENT_AGAIN = Counter(
    "modelport_gateway_usage_batches_sent_again_total",
    "Batches of usage sent once more, since they were not confirmed in time.",
)
EVIDENCE_DROPPED = Counter(
    "modelport_gateway_evidence_dropped_total",
    "Counts of rollouts that were forgotten: too many different ones waited.",
)
ROLLOUT_COPIES = Counter(
    "modelport_gateway_rollout_copies_total",
    "Requests to be copied to the other version of a rollout, by what came of it: compared, dropped.",
    ["result"],
)
OBSERVED_DROPPED = Counter(
    "modelport_gateway_observed_predictions_dropped_total",
    "Predictions of models with feedback that were not kept: too many waited, or no text, number or boolean.",
)
SAMPLES_DROPPED = Counter(
    "modelport_gateway_samples_dropped_total",
    "Samples for history and drift that were forgotten: too many waited, or nobody took them.",
    ["kind"],
)


_EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_MOST_NOTED = 1000


@dataclass(slots=True)
class _Counted:
    """Predictions of one status class and cache state. `noted`: seconds that are not added up yet."""

    noted: list[float] = field(default_factory=list)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(_EDGES) + 1))
    seconds: float = 0.0

    def add_up(self) -> None:
        noted, self.noted = self.noted, []
        self.seconds += sum(noted)
        noted.sort()
        begin = 0
        for at, edge in enumerate((*_EDGES, inf)):
            end = bisect_right(noted, edge, begin)
            self.buckets[at] += end - begin
            begin = end


class Predictions(Collector):
    """Counts each request on the hot path by noting its seconds: a Counter and a Histogram of
    prometheus_client, which lock at each call, took ten times as long."""

    def __init__(self) -> None:
        self._counted: dict[tuple[int, str], _Counted] = {}

    def count(self, status: int, cache_state: str, seconds: float) -> None:
        """Count one request; `cache_state`: hit, miss, bypass or none."""
        key = (status // 100, cache_state)
        counted = self._counted.get(key)
        if counted is None:
            # Both are closed sets.
            counted = self._counted[key] = _Counted()
        counted.noted.append(seconds)
        if len(counted.noted) >= _MOST_NOTED:
            counted.add_up()

    def collect(self) -> Iterator[Metric]:
        """What is counted by now, for Prometheus."""
        requests = CounterMetricFamily(
            "modelport_gateway_requests_total",
            "Predictions by status class and cache state.",
            labels=("status", "cache"),
        )
        latency = HistogramMetricFamily(
            "modelport_gateway_request_duration_seconds",
            "From the request's first byte to the response's last.",
            labels=("cache",),
        )
        by_cache: dict[str, _Counted] = {}
        for (status, cache_state), counted in sorted(self._counted.items()):
            counted.add_up()
            requests.add_metric((f"{status}xx", cache_state), sum(counted.buckets))
            whole = by_cache.setdefault(cache_state, _Counted())
            whole.buckets = [a + b for a, b in zip(whole.buckets, counted.buckets, strict=True)]
            whole.seconds += counted.seconds
        for cache_state, whole in by_cache.items():
            edges = map(floatToGoString, (*_EDGES, inf))
            latency.add_metric(
                (cache_state,), list(zip(edges, accumulate(whole.buckets), strict=True)), whole.seconds
            )
        yield requests
        yield latency


PREDICTIONS = Predictions()
REGISTRY.register(PREDICTIONS)
