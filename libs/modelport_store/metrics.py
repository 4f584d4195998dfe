"""What happens when the shared store is away. On the default registry, which both fronts expose."""

from prometheus_client import Counter, Gauge

STORE_FALLBACKS = Counter(
    "modelport_edge_store_fallbacks_total",
    "Store calls answered by this process's memory because Redis did not answer.",
    ["operation"],
)
STORE_DEGRADED = Gauge("modelport_edge_store_degraded", "1 while Redis is away and memory stands in for it.")
STORE_LOST_VALUES = Counter(
    "modelport_edge_store_lost_values_total",
    "Values that Redis did not take, or large ones that it did not give in time, and that were done without.",
    ["operation"],
)
LIMITS_NOT_ENFORCED = Counter(
    "modelport_edge_limits_not_enforced_total",
    "Requests let through uncounted because no store answered.",
    ["limit"],
)
