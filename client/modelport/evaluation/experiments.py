"""An experiment (A/B test), as the API shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Arm:
    """One version of an experiment. `mean`: of the goal, over its units."""

    version: str
    weight: int
    units: int
    rows: int
    mean: float | None
    lower: float | None
    upper: float | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Arm":
        """Read the API's JSON. Raises KeyError without a version; all else may be missing."""
        return cls(
            version=data["version"],
            weight=data.get("weight") or 0,
            units=data.get("units") or 0,
            rows=data.get("rows") or 0,
            mean=data.get("mean"),
            lower=data.get("lower"),
            upper=data.get("upper"),
        )


@dataclass(frozen=True)
class Comparison:
    """A version beside the control, by one metric: by how much its mean is greater, and the interval.

    `state`: `better`, `worse`, `within` (of a guardrail) or `unknown`. `variance_reduction`: the share of the
    variance that what units did before the experiment explains, and that is taken out; None: none is.
    """

    version: str
    metric: str
    state: str
    estimate: float | None
    lower: float | None
    upper: float | None
    units: int
    variance_reduction: float | None
    message: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Comparison":
        """Read the API's JSON. Raises KeyError without version, metric or state; all else may be missing."""
        return cls(
            version=data["version"],
            metric=data["metric"],
            state=data["state"],
            estimate=data.get("estimate"),
            lower=data.get("lower"),
            upper=data.get("upper"),
            units=data.get("units") or 0,
            variance_reduction=data.get("variance_reduction"),
            message=data.get("message") or "",
        )


@dataclass(frozen=True)
class Experiment:
    """Versions that share a model's traffic, and which does better. `unit`: what is counted.

    `state`: `starting`, `running`, `decided` or `inconclusive`, and at the end `promoted` or `stopped`.
    `verdict`: one sentence. `promoted`: who got all traffic at its end.
    """

    id: int
    arms: dict[str, int]
    control: str
    unit: str
    state: str
    verdict: str
    winner: str | None
    promoted: str | None
    measured: tuple[Arm, ...]
    comparisons: tuple[Comparison, ...]
    started_at: datetime | None
    decided_at: datetime | None
    ended_at: datetime | None
    raw: Json = field(repr=False, compare=False)
    """The whole response."""

    @property
    def is_over(self) -> bool:
        """Nothing more is counted: it is decided, or inconclusive, or somebody has ended it."""
        return self.state not in {"starting", "running"}

    @classmethod
    def from_json(cls, data: Json) -> "Experiment":
        """Read the API's JSON. Raises KeyError without id, arms or state; all else may be missing."""
        evidence = data.get("evidence") or {}
        return cls(
            id=data["id"],
            arms=data["arms"],
            control=data.get("control") or "",
            unit=data.get("unit") or "session",
            state=data["state"],
            verdict=data.get("verdict") or "",
            winner=data.get("winner"),
            promoted=data.get("promoted"),
            measured=tuple(Arm.from_json(each) for each in evidence.get("arms") or ()),
            comparisons=tuple(Comparison.from_json(each) for each in evidence.get("comparisons") or ()),
            started_at=_moment(data.get("started_at")),
            decided_at=_moment(data.get("decided_at")),
            ended_at=_moment(data.get("ended_at")),
            raw=data,
        )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
