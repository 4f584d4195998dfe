"""Totals of a period: what a model's requests add up to, whoever asked and whatever came of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelport_telemetry.usage.wire import UsageLine

from modelport_control_api.usage.tables import EVERYBODY

Key = tuple[str, int, str]
"""Model's id, start, version: the primary key."""


@dataclass(slots=True)
class Total:
    """`latencies`: requests by bucket."""

    requests: int = 0
    errors: int = 0
    refused: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    latencies: dict[int, int] = field(default_factory=dict)

    def add(self, line: UsageLine) -> None:
        self.requests += line.requests
        self.errors += line.requests if line.status >= 500 else 0
        self.refused += line.requests if 400 <= line.status < 500 else 0
        self.cache_hits += line.requests if line.cache == "hit" else 0
        self.cache_misses += line.requests if line.cache == "miss" else 0
        for bucket, requests in line.latency.items():
            self.latencies[bucket] = self.latencies.get(bucket, 0) + requests


def totals(lines: Iterable[UsageLine], seconds: int) -> Mapping[Key, Total]:
    """Of each model and version, and of everybody's, in each period of so many seconds."""
    found: dict[Key, Total] = {}
    for line in lines:
        start = line.minute * 60 // seconds * seconds
        for key in ((line.model, start, line.version), (EVERYBODY, start, "")):
            found.setdefault(key, Total()).add(line)
    return found
