"""What became of feedback, and how good a model's predictions were by what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_SHOWN_ERRORS = 20


@dataclass(frozen=True)
class FeedbackError:
    """`item`: its number from 1, or of a file the number of its line."""

    item: int
    message: str


@dataclass(frozen=True)
class FeedbackReport:
    """`errors`: of the first twenty that were rejected."""

    accepted: int
    rejected: int
    errors: tuple[FeedbackError, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FeedbackReport":
        """Read the API's JSON. Raises KeyError where a number is missing."""
        errors = tuple(FeedbackError(each["item"], each["message"]) for each in data.get("errors") or ())
        return cls(data["accepted"], data["rejected"], errors)

    def with_piece(self, piece: "FeedbackReport", *, lines_before: int) -> "FeedbackReport":
        """Add the report of a later piece of the same file."""
        moved = tuple(FeedbackError(each.item + lines_before, each.message) for each in piece.errors)
        return FeedbackReport(
            self.accepted + piece.accepted,
            self.rejected + piece.rejected,
            (self.errors + moved)[:_SHOWN_ERRORS],
        )


@dataclass(frozen=True)
class Metric:
    """`lower`, `upper`: its 95 % interval; None: too few rows for one. `estimated`: before labels came."""

    value: float
    lower: float | None
    upper: float | None
    rows: int
    estimated: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Metric":
        """Read one metric. Raises KeyError without its value or rows."""
        return cls(
            data["value"], data.get("lower"), data.get("upper"), data["rows"], bool(data.get("estimated"))
        )


@dataclass(frozen=True)
class QualityPart:
    """Of a version in the whole range, or in the bucket that begins at `start`.

    `labels`: of how many `predictions` the truth is known. `expected`: estimates while some of it is not.
    """

    predictions: int
    labels: int
    rewards: int
    metrics: dict[str, Metric]
    expected: dict[str, Metric]
    start: datetime | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "QualityPart":
        """Read a version or one of its buckets. Raises KeyError where a count is missing."""
        start = data.get("start")
        return cls(
            data["predictions"],
            data["labels"],
            data["rewards"],
            _metrics(data.get("metrics") or {}),
            _metrics(data.get("expected") or {}),
            None if start is None else datetime.fromisoformat(start),
        )


@dataclass(frozen=True)
class VersionQuality:
    """`task`: classification or regression. `series`: the buckets that have predictions, in order."""

    version: str
    task: str
    whole: QualityPart
    series: tuple[QualityPart, ...]


@dataclass(frozen=True)
class Quality:
    """`message`: what is not covered, or is missing; empty: nothing."""

    versions: tuple[VersionQuality, ...]
    message: str
    raw: dict[str, Any] = field(repr=False, compare=False)
    """The whole response; calibration, reliability and unknown classes are in there."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Quality":
        """Read the API's JSON. Raises KeyError without versions."""
        versions = tuple(
            VersionQuality(
                each["version"],
                each["task"],
                QualityPart.from_json(each),
                tuple(map(QualityPart.from_json, each["series"])),
            )
            for each in data["versions"]
        )
        return cls(versions, data.get("message") or "", data)


def _metrics(data: Mapping[str, Any]) -> dict[str, Metric]:
    return {name: Metric.from_json(each) for name, each in data.items()}
