"""What gateways report about the requests they answered: usage, latency and drift counts."""
