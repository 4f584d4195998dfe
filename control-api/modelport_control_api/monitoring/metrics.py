"""Drift for Prometheus: read from the database when asked, so that every replica says the same."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.drift.records import to_drift_record
from modelport_control_api.drift.tables import DriftStateRow

WORST_FEATURES = 20


def render(session: Session) -> bytes:
    """Give Prometheus text of all versions whose window has been full."""
    registry = CollectorRegistry()
    registry.register(_States(list(session.scalars(select(DriftStateRow)))))
    return generate_latest(registry)


class _States(Collector):
    def __init__(self, rows: list[DriftStateRow]) -> None:
        self._rows = [row for row in rows if row.state != "collecting"]

    def collect(self) -> Iterator[Metric]:
        features = GaugeMetricFamily(
            "modelport_drift_features", "Features that drift.", labels=["model", "version"]
        )
        small = GaugeMetricFamily(
            "modelport_drift_small_features",
            "Features with a change that is certain, but too small to be drift.",
            labels=["model", "version"],
        )
        index = GaugeMetricFamily(
            "modelport_drift_psi",
            f"Population stability index of the {WORST_FEATURES} features that changed most.",
            labels=["model", "version", "feature"],
        )
        for row in self._rows:
            version = [row.model_id, f"v{row.number}"]
            verdicts = to_drift_record(row).verdicts
            features.add_metric(version, sum(verdict.drifts for verdict in verdicts))
            small.add_metric(version, sum(verdict.change == "small" for verdict in verdicts))
            for verdict in verdicts[:WORST_FEATURES]:
                index.add_metric([*version, verdict.name], verdict.psi)
        yield from (features, small, index)
