"""What the gateway counts. On the default registry, which /metrics shows."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "modelport_gateway_requests_total", "Predictions by status class and cache state.", ["status", "cache"]
)
LATENCY = Histogram(
    "modelport_gateway_request_duration_seconds",
    "From the request's first byte to the answer's last.",
    ["cache"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30),
)
UPSTREAM_ERRORS = Counter(
    "modelport_gateway_upstream_errors_total", "Calls to a model that failed, by how.", ["kind"]
)
FALLBACKS = Counter(
    "modelport_gateway_fallbacks_total",
    "Requests served without a part that was away: the store, or the control API.",
    ["without"],
)
WATCH_RESTARTS = Counter("modelport_gateway_watch_restarts_total", "Watches that broke.", ["kind"])
IN_FLIGHT = Gauge("modelport_gateway_in_flight_requests", "Requests sent to models and not yet answered.")
WAITING = Gauge("modelport_gateway_waiting_requests", "Requests that wait for a free place at their model.")
