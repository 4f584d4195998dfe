"""What gateways query about references, and drift for Prometheus: on the internal port, read from the
database.
"""

from collections.abc import Iterator

from fastapi import APIRouter, Response
from modelport_http.problem import Problem
from modelport_telemetry.drift import bins as wire
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel
from sqlalchemy import select

from modelport_control_api.drift import repository
from modelport_control_api.drift.profiles.profile import from_json, match
from modelport_control_api.drift.records import to_drift_record
from modelport_control_api.drift.tables import DriftReferenceRow, DriftStateRow
from modelport_control_api.http.context import DbSession
from modelport_control_api.http.principal import PLATFORM_ONLY
from modelport_control_api.http.prometheus import text_of
from modelport_control_api.monitoring.wiring import Drift

WORST_FEATURES = 20


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
            results = to_drift_record(row).results
            features.add_metric(version, sum(result.drifts for result in results))
            small.add_metric(version, sum(result.change == "small" for result in results))
            for result in results[:WORST_FEATURES]:
                index.add_metric([*version, result.name], result.psi)
        yield from (features, small, index)


router = APIRouter(prefix="/internal/v1/drift", dependencies=[PLATFORM_ONLY])


class Known(BaseModel):
    model: str
    version: str
    reference: str


class KnownReferences(BaseModel):
    references: list[Known]


@router.get("/references")
def list_references(session: DbSession, services: Drift) -> KnownReferences:
    """Of versions that have answered: before that it is not known which columns are features."""
    found = repository.all_references(session)
    return KnownReferences(
        references=[
            Known(model=model_id, version=f"v{number}", reference=id_)
            for id_, model_id, number in found
            if services.has_answered(model_id, number)
        ]
    )


@router.get("/bins/{reference}")
def read_bins(reference: str, session: DbSession, services: Drift) -> Response:
    """Return the bins by which gateways count the version's inputs. Raises `Problem` 404."""
    row = session.get(DriftReferenceRow, reference)
    if row is None:
        raise Problem(status=404, detail="There is no such reference: it was replaced or deleted.")
    signature = services.signature_of(row.model_id, row.number)
    bins = match(from_json(row.profile), signature).reference_bins(row.id, signature)
    return Response(wire.encode(bins), media_type="application/json")


@router.get("/metrics")
def read_drift_metrics(session: DbSession) -> Response:
    """Prometheus text of all versions whose window has been full.

    Not on the public page: ids of everybody's models are not for the public.
    """
    return text_of(_States(list(session.scalars(select(DriftStateRow)))))
