"""Benches that want a Kubernetes cluster."""
