"""What Prometheus may scrape from one runtime. A registry of our own: no library's metrics among them."""

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.process_collector import ProcessCollector

from modelport_runtime.loop_metrics import LoopCounter, LoopHistogram

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)

REQUESTS = LoopCounter(
    "modelport_runtime_requests_total",
    "Requests to the model, by protocol and HTTP status.",
    ["protocol", "status"],
    registry=REGISTRY,
)
BATCH_CALLS = LoopHistogram(
    "modelport_runtime_batch_requests",
    "Requests that went through the model together.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)
MODEL_SECONDS = LoopHistogram(
    "modelport_runtime_model_seconds",
    "Time of one batch: decoding, the model, encoding.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
WAITING = Gauge("modelport_runtime_waiting_requests", "Requests that wait for the model.", registry=REGISTRY)
REFUSED = Counter(
    "modelport_runtime_queue_refusals_total",
    "Requests refused because the queue was full.",
    registry=REGISTRY,
)
LOAD_SECONDS = Gauge("modelport_runtime_load_seconds", "How long loading took.", registry=REGISTRY)
READY = Gauge(
    "modelport_runtime_ready", "1 when the model is loaded and has predicted its sample.", registry=REGISTRY
)
SANDBOX_LEVEL = Gauge(
    "modelport_runtime_sandbox_level", "2: Landlock and seccomp, 1: one of them, 0: none.", registry=REGISTRY
)
ACCELERATED = Gauge(
    "modelport_runtime_accelerated",
    "1 while NumPy kernels predict, 0 while the model does.",
    registry=REGISTRY,
)
ORIGINAL_RUNS = Gauge(
    "modelport_runtime_model_process", "1 while the model's process runs.", registry=REGISTRY
)
RECHECKS = Counter(
    "modelport_runtime_acceleration_rechecks_total",
    "Predictions of the kernels that were compared with the model's.",
    registry=REGISTRY,
)
RECHECKS_SKIPPED = Counter(
    "modelport_runtime_acceleration_rechecks_skipped_total",
    "Comparisons left out because the model was busy or has ended.",
    registry=REGISTRY,
)
DIFFERENCES = Counter(
    "modelport_runtime_acceleration_differences_total",
    "Times that kernels were given up: their plan was refused, or a prediction differed from the model's.",
    registry=REGISTRY,
)
