"""What becomes of what gateways report. On the default registry, which /metrics shows."""

from prometheus_client import Counter

REQUESTS_WRITTEN = Counter(
    "modelport_control_api_usage_requests_total", "Requests that this replica added to the usage ledger."
)
REQUESTS_DROPPED = Counter(
    "modelport_control_api_usage_dropped_requests_total",
    "Requests whose usage a gateway had to forget, as it reported.",
)
BATCHES_AGAIN = Counter(
    "modelport_control_api_usage_batches_again_total",
    "Batches of usage that arrived and were in the ledger already.",
)
ENTRIES_REJECTED = Counter(
    "modelport_control_api_usage_entries_rejected_total",
    "Entries of a Redis stream that were none of ours, or of a newer release.",
    ["stream"],
)
SAMPLES_LOST = Counter(
    "modelport_control_api_samples_lost_total", "Samples that arrived and could not be written.", ["kind"]
)
