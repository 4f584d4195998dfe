"""What an owner sees of a model's traffic on the cluster, whichever gateway answered it."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.accounts import Person, register, save
from tests.support.drifting import SHIFTED, cancer_model, halves, shifted
from tests.support.models import iris_logistic_named
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

REQUESTS = 40
SECRET = 31415.9265


def test_requests_are_counted_once_and_kept_without_what_is_secret(platform: Any, tmp_path: Path) -> None:
    person = register(platform.url, tmp_path)
    named = iris_logistic_named()
    model_id = person.upload(save(named.model, tmp_path / "iris.joblib"))["id"]
    with person.http() as client:
        settings = {"percent": 100, "redact_fields": ["petal_length"]}
        client.patch(f"/api/v1/models/{model_id}", json={"history": settings}).raise_for_status()
        time.sleep(3)
        rows = [
            {"sepal_length": number / 7, "sepal_width": 3.5, "petal_length": SECRET, "petal_width": 0.2}
            for number in range(REQUESTS)
        ]
        responses = [person.predict(model_id, row) for row in rows]
        assert {response.status_code for response in responses} == {200}
        kept = eventually(lambda: len(found := _history(person, model_id)) >= REQUESTS and found)
        assert {each["request_id"] for each in kept} == {each.headers["x-request-id"] for each in responses}
        assert {each["request"]["input"]["petal_length"] for each in kept} == {"[redacted]"}
        export = client.get("/api/v1/predictions/export", params={"model_id": model_id})
        assert str(SECRET) not in export.raise_for_status().text
    eventually(lambda: _counted(person, model_id) >= REQUESTS)
    # Counted twice would come with a later batch.
    time.sleep(3)
    assert _counted(person, model_id) == REQUESTS
    person.cli("delete", model_id, "--yes")


def test_a_shifted_feature_is_named(platform: Any, tmp_path: Path) -> None:
    person = register(platform.url, tmp_path)
    reference, live = halves()
    reference.to_csv(tmp_path / "train.csv", index=False)
    path = save(cancer_model(), tmp_path / "cancer.joblib")
    model_id = person.upload(path, "--reference", str(tmp_path / "train.csv"))["id"]
    moved = shifted(live)
    found = eventually(lambda: _drift_after(person, model_id, moved), seconds=480, every=3)
    assert next(each["name"] for each in found["features"] if each["drifts"]) == SHIFTED
    assert "v1: drift" in person.cli("drift", model_id)
    person.cli("delete", model_id, "--yes")


def _history(person: Person, model_id: str) -> list[dict[str, Any]]:
    with person.http() as client:
        response = client.get("/api/v1/predictions", params={"model_id": model_id, "limit": 100})
    items: list[dict[str, Any]] = response.raise_for_status().json()["items"]
    return items


def _counted(person: Person, model_id: str) -> int:
    with person.http() as client:
        response = client.get(f"/api/v1/analytics/models/{model_id}").raise_for_status().json()
    return int(response["totals"]["requests"])


def _drift_after(person: Person, model_id: str, rows: list[dict[str, float]]) -> dict[str, Any] | None:
    """Send the rows once more; None unless the version drifts. Gateways hear of a reference within 10 s."""
    with person.http() as client:
        client.post(f"/predict/{model_id}", json={"inputs": rows}).raise_for_status()
        response = client.get(f"/api/v1/models/{model_id}/versions/v1/drift").raise_for_status()
    found: dict[str, Any] = response.json()
    return found if found["state"] == "drift" else None
