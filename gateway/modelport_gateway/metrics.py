"""What the gateway counts. On the default registry, which /metrics shows."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "modelport_gateway_requests_total", "Predictions by status class and cache state.", ["status", "cache"]
)
LATENCY = Histogram(
    "modelport_gateway_request_duration_seconds",
    "From the request's first byte to the response's last.",
    ["cache"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30),
)
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


def count_prediction(status: int, cache_state: str, seconds: float) -> None:
    """Count one request; `cache_state`: hit, miss, bypass or none."""
    counter, latency = _children(f"{status // 100}xx", cache_state)
    counter.inc()
    latency.observe(seconds)


@cache
def _children(status_class: str, cache_state: str) -> tuple[Counter, Histogram]:
    # Kept: prometheus_client takes a lock and builds a key for each look-up. Both labels are closed sets.
    return REQUESTS.labels(status_class, cache_state), LATENCY.labels(cache_state)
