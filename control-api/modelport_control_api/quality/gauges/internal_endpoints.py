"""Quality for Prometheus: on the internal port, as it was last computed."""

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import select

from modelport_control_api.http.context import DbSession
from modelport_control_api.http.principal import PLATFORM_ONLY
from modelport_control_api.http.prometheus import text_of
from modelport_control_api.quality.gauges.keeping import DAYS
from modelport_control_api.quality.gauges.tables import QualityGaugesRow

router = APIRouter(prefix="/internal/v1/quality", dependencies=[PLATFORM_ONLY])


@router.get("/metrics")
def read_quality_metrics(session: DbSession) -> Response:
    """Prometheus text of all versions that predicted in the last days.

    Not on the public page: ids of everybody's models are not for the public.
    """
    return text_of(_Quality(list(session.scalars(select(QualityGaugesRow)))))


class _Quality(Collector):
    def __init__(self, rows: list[QualityGaugesRow]) -> None:
        self._versions = [([row.model_id, each["version"]], each) for row in rows for each in row.versions]

    def collect(self) -> Iterator[Metric]:
        yield from self._known()
        yield from self._expected()
        yield from self._counts()

    def _known(self) -> Iterator[Metric]:
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
        for family, part in ((value, "value"), (lower, "lower"), (upper, "upper")):
            for version, found in self._versions:
                for name, figure in found["metrics"].items():
                    if figure[part] is not None:
                        family.add_metric([*version, name], figure[part])
            yield family

    def _expected(self) -> Iterator[Metric]:
        expected = GaugeMetricFamily(
            "modelport_quality_expected",
            "What is expected of all predictions of these days, by calibrated probabilities where the truth "
            "is not known yet.",
            labels=["model", "version", "metric"],
        )
        for version, found in self._versions:
            for name, figure in found["expected"].items():
                expected.add_metric([*version, name], figure["value"])
        yield expected

    def _counts(self) -> Iterator[Metric]:
        predictions = GaugeMetricFamily(
            "modelport_quality_predictions", "Predictions of these days.", labels=["model", "version"]
        )
        labels = GaugeMetricFamily(
            "modelport_quality_labels", "Of how many of them the truth is known.", labels=["model", "version"]
        )
        for version, found in self._versions:
            predictions.add_metric(version, found["predictions"])
            labels.add_metric(version, found["labels"])
        yield from (predictions, labels)
