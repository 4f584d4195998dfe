"""Observations as a test wants them, and their figures."""

from datetime import UTC, datetime
from typing import Any

from modelport_control_api.ground_truth.reading import Observation
from modelport_control_api.quality import rows
from modelport_control_api.quality.figures import compute
from modelport_control_api.quality.figures.compute import VersionQuality

AT = datetime(2026, 11, 1, tzinfo=UTC)


def seen(prediction: Any, label: Any = None, **other: Any) -> Observation:
    usual = {"version": "v1", "at": AT, "unit": "", "probabilities": None, "reward": None}
    return Observation(prediction=prediction, label=label, **(usual | other))


def figures(observations: list[Observation], signature: dict[str, Any] | None = None) -> VersionQuality:
    """Of the version v1."""
    found = rows.read(observations, lambda _: 0, lambda _: signature)
    return compute.of_version(found.versions["v1"])


def values(observations: list[Observation], signature: dict[str, Any] | None = None) -> dict[str, float]:
    metrics = figures(observations, signature).whole.metrics
    return {name: figure.value for name, figure in metrics.items()}
