"""Quality for Prometheus: on the internal port, as it was last computed."""

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.http.context import DbSession
from modelport_control_api.http.principal import PLATFORM_ONLY
from modelport_control_api.quality.gauges.keeping import DAYS
from modelport_control_api.quality.gauges.tables import QualityGaugesRow

router = APIRouter(prefix="/internal/v1/quality", dependencies=[PLATFORM_ONLY])


@router.get("/metrics")
def read_quality_metrics(session: DbSession) -> Response:
    """Prometheus text. Not on the public page: ids of everybody's models are not for the public."""
    return Response(render(session), media_type="text/plain; version=0.0.4; charset=utf-8")


def render(session: Session) -> bytes:
    """Return Prometheus text of all versions that predicted in the last days."""
    registry = CollectorRegistry()
    registry.register(_Quality(list(session.scalars(select(QualityGaugesRow)))))
    return generate_latest(registry)


class _Quality(Collector):
    def __init__(self, rows: list[QualityGaugesRow]) -> None:
        self._rows = rows

    def collect(self) -> Iterator[Metric]:
        value = GaugeMetricFamily(
            "modelport_quality",
            f"Accuracy, error and so on of the last {DAYS} days' predictions whose truth is known.",
            labels=["model", "version", "metric"],
        )
        lower = GaugeMetricFamily(
            "modelport_quality_lower",
            "The lower end of its 95 % interval, where it has one.",
            labels=["model", "version", "metric"],
        )
        upper = GaugeMetricFamily(
            "modelport_quality_upper",
            "The upper end of its 95 % interval, where it has one.",
            labels=["model", "version", "metric"],
        )
        expected = GaugeMetricFamily(
            "modelport_quality_expected",
            "What is expected of all predictions of these days, by calibrated probabilities where the truth is not known yet.",  # noqa: E501
            labels=["model", "version", "metric"],
        )
        predictions = GaugeMetricFamily(
            "modelport_quality_predictions", "Predictions of these days.", labels=["model", "version"]
        )
        labels = GaugeMetricFamily(
            "modelport_quality_labels", "Of how many of them the truth is known.", labels=["model", "version"]
        )
        for row in self._rows:
            for each in row.versions:
                version = [row.model_id, each["version"]]
                predictions.add_metric(version, each["predictions"])
                labels.add_metric(version, each["labels"])
                for name, figure in each["metrics"].items():
                    value.add_metric([*version, name], figure["value"])
                    if figure["lower"] is not None:
                        lower.add_metric([*version, name], figure["lower"])
                        upper.add_metric([*version, name], figure["upper"])
                for name, figure in each["expected"].items():
                    expected.add_metric([*version, name], figure["value"])
        yield from (value, lower, upper, expected, predictions, labels)
