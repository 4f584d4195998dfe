"""How often models were asked, and how they answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Bucket = Literal["minute", "hour", "day"]


@dataclass(frozen=True)
class UsageCounts:
    """Latencies in milliseconds; None where nothing was asked. Rates are shares of 1.

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
    def from_json(cls, answer: Mapping[str, Any]) -> "UsageCounts":
        start = answer.get("start")
        return cls(
            requests=answer["requests"],
            errors=answer.get("errors") or 0,
            refused=answer.get("refused") or 0,
            cache_hits=answer.get("cache_hits") or 0,
            error_rate=answer.get("error_rate"),
            cache_hit_rate=answer.get("cache_hit_rate"),
            p50_ms=answer.get("p50_ms"),
            p95_ms=answer.get("p95_ms"),
            p99_ms=answer.get("p99_ms"),
            start=None if start is None else datetime.fromisoformat(start),
            name=answer.get("id", answer.get("version")),
        )


@dataclass(frozen=True)
class Usage:
    """`series`: each period in order. `parts`: by model, or of one model by version."""

    totals: UsageCounts
    previous: UsageCounts
    series: tuple[UsageCounts, ...]
    parts: tuple[UsageCounts, ...]
    raw: dict[str, Any] = field(repr=False, compare=False)
    """The whole answer; callers and reasons are in there."""

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> "Usage":
        parts = answer.get("by_model") or answer.get("by_version") or ()
        return cls(
            totals=UsageCounts.from_json(answer["totals"]),
            previous=UsageCounts.from_json(answer["previous"]),
            series=tuple(map(UsageCounts.from_json, answer["series"])),
            parts=tuple(map(UsageCounts.from_json, parts)),
            raw=answer,
        )
