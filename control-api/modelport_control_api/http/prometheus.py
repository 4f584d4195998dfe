"""Prometheus text of what is read from the database, apart from what this process counts itself."""

from fastapi import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector


def text_of(collector: Collector) -> Response:
    """Return what the collector has now."""
    registry = CollectorRegistry()
    registry.register(collector)
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")
