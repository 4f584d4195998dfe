"""What the operator counts. On the default registry, which its metrics endpoint exposes."""

from prometheus_client import Counter, Gauge, Histogram

RECONCILE_SECONDS = Histogram("modelport_operator_reconcile_seconds", "Time of one pass over one model.")
RECONCILE_ERRORS = Counter(
    "modelport_operator_reconcile_errors_total", "Passes that failed and are tried again.", ["error"]
)
HELD_BACK = Counter(
    "modelport_operator_reconciles_held_back_total",
    "Passes put off because the model had too many: someone else may be writing the same objects.",
)
WRITES = Counter("modelport_operator_writes_total", "What passes wrote to the cluster.", ["verb"])
WATCH_RESTARTS = Counter("modelport_operator_watch_restarts_total", "Watches started again.", ["kind"])
QUEUE_DEPTH = Gauge("modelport_operator_queue_depth", "Models that wait for a pass.")
MODELS = Gauge("modelport_operator_models", "Models by state after their last pass.", ["state"])
LEADER = Gauge("modelport_operator_leader", "1 in the process that reconciles, 0 in one that waits to.")
