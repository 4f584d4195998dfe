"""Bounds on concurrent work: queues, single flight, requests in flight."""
