"""What gateways report about the requests they served: usage, latency and drift counts."""
