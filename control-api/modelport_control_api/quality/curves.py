"""A calibration as numbers."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Curve:
    """Straight lines between points: what share of rows with such a score was of the class."""

    scores: list[float]
    shares: list[float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """`curves`: by the classes' names (`quality.classes`). `rows`: what it was fitted to."""

    curves: dict[str, Curve]
    rows: int

    def as_json(self) -> dict[str, Any]:
        return {name: asdict(curve) for name, curve in self.curves.items()}

    @classmethod
    def of_json(cls, curves: dict[str, Any], rows: int) -> Self:
        return cls({name: Curve(**curve) for name, curve in curves.items()}, rows)
