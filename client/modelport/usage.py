"""How often models were called, and with what results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Bucket = Literal["minute", "hour", "day"]


@dataclass(frozen=True)
class UsageCounts:
    """Latencies in milliseconds; None where there were no requests. Rates are shares of 1.

    `start`: of a period, when it began; else None. `name`: the model's id or the version, where there is one.
    """

    requests: int
    errors: int
    refused: int
    cache_hits: int
    error_rate: float | None
    cache_hit_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    start: datetime | None = None
    name: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "UsageCounts":
        """Read the counts of one period, model or version. Raises KeyError without `requests`."""
        start = data.get("start")
        return cls(
            requests=data["requests"],
            errors=data.get("errors") or 0,
            refused=data.get("refused") or 0,
            cache_hits=data.get("cache_hits") or 0,
            error_rate=data.get("error_rate"),
            cache_hit_rate=data.get("cache_hit_rate"),
            p50_ms=data.get("p50_ms"),
            p95_ms=data.get("p95_ms"),
            p99_ms=data.get("p99_ms"),
            start=None if start is None else datetime.fromisoformat(start),
            name=data.get("id", data.get("version")),
        )


@dataclass(frozen=True)
class Usage:
    """`series`: each period in order. `parts`: by model, or of one model by version."""

    totals: UsageCounts
    previous: UsageCounts
    series: tuple[UsageCounts, ...]
    parts: tuple[UsageCounts, ...]
    raw: dict[str, Any] = field(repr=False, compare=False)
    """The whole response; callers and reasons are in there."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Usage":
        """Read the API's JSON, of the account or of one model. Raises KeyError without totals or series."""
        parts = data.get("by_model") or data.get("by_version") or ()
        return cls(
            totals=UsageCounts.from_json(data["totals"]),
            previous=UsageCounts.from_json(data["previous"]),
            series=tuple(map(UsageCounts.from_json, data["series"])),
            parts=tuple(map(UsageCounts.from_json, parts)),
            raw=data,
        )
