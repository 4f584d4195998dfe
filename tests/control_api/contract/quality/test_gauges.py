"""What Prometheus is shown of quality, on SQLite and on PostgreSQL."""

from datetime import timedelta

import pytest
from modelport_control_api.db.base import utc_now
from modelport_control_api.quality.gauges import keeping
from modelport_control_api.quality.gauges.internal_endpoints import read_quality_metrics
from modelport_control_api.quality.gauges.keeping import QualityGauges
from modelport_control_api.quality.wiring import QualityServices
from prometheus_client.parser import text_string_to_metric_families

from tests.control_api.contract.quality.conftest import Scene

Key = tuple[str, str, str]


@pytest.fixture
async def observed(scene: Scene) -> Scene:
    """50 predictions of today and 50 of ten days ago; of 40 of today the truth is known, 30 were right."""
    changed = await scene.ann.http.patch(f"/api/v1/models/{scene.model_id}", json={"feedback": {}})
    assert changed.status_code == 200, changed.text
    now = utc_now()
    for number in range(100):
        at = now - timedelta(days=10 * (number % 2))
        key = {"prediction_id": f"r{number}", "row": 0}
        scene.predict(
            key | {"version": "v1", "unit": "", "at": at, "prediction": '"a"', "probabilities": None}
        )
        if number % 2 == 0 and number < 80:
            label = '"a"' if number < 60 else '"b"'
            scene.label(key | {"label": label, "reward": None, "at": at, "received_at": at})
    return scene


def gauges(scene: Scene) -> QualityGauges:
    plane = scene.platform.plane
    return QualityGauges(QualityServices.build(plane.context.settings, plane.models))


def shown(scene: Scene) -> dict[Key, float]:
    """By name, version and metric, of the scene's model."""
    with scene.platform.plane.context.database.transaction(read_only=True) as session:
        page = bytes(read_quality_metrics(session).body).decode()
    samples = [each for family in text_string_to_metric_families(page) for each in family.samples]
    assert {each.labels["model"] for each in samples} <= {scene.model_id}
    return {
        (each.name, each.labels["version"], each.labels.get("metric", "")): each.value for each in samples
    }


async def test_they_show_what_the_api_says_of_the_same_days(observed: Scene) -> None:
    await gauges(observed).look()
    found = shown(observed)
    since = (utc_now() - timedelta(days=keeping.DAYS)).isoformat()
    (version,) = (await observed.quality(**{"from": since}))["versions"]
    accuracy = version["metrics"]["accuracy"]
    assert found["modelport_quality_predictions", "v1", ""] == version["predictions"] == 50
    assert found["modelport_quality_labels", "v1", ""] == version["labels"] == 40
    assert found["modelport_quality", "v1", "accuracy"] == accuracy["value"] == 0.75
    assert found["modelport_quality_lower", "v1", "accuracy"] == accuracy["lower"]
    assert found["modelport_quality_upper", "v1", "accuracy"] == accuracy["upper"]
    # Without probabilities nothing is expected.
    assert not [key for key in found if key[0] == "modelport_quality_expected"]


async def test_they_are_computed_once_by_all_control_apis_together(
    observed: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    keep = QualityGauges.keep

    async def counted(self: QualityGauges, model_id: str) -> None:
        computed.append(model_id)
        await keep(self, model_id)

    monkeypatch.setattr(QualityGauges, "keep", counted)
    for _ in range(2):
        await gauges(observed).look()
    assert computed == [observed.model_id]


async def test_they_go_with_the_feedback_and_with_the_model(observed: Scene) -> None:
    await gauges(observed).keep(observed.model_id)
    assert shown(observed)
    await observed.ann.http.patch(f"/api/v1/models/{observed.model_id}", json={"feedback": None})
    await gauges(observed).look()
    assert shown(observed) == {}
    await gauges(observed).keep(observed.model_id)
    assert shown(observed)
    await observed.ann.http.delete(f"/api/v1/models/{observed.model_id}")
    assert shown(observed) == {}
    await gauges(observed).keep(observed.model_id)
    assert shown(observed) == {}
