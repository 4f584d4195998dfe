"""Calls to model replicas, whose every response is untrusted input."""
