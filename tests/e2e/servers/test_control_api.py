"""The control API on a real API server: what it writes, and what it shows of what others write."""

import io
import json
from typing import Any

import httpx
import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.e2e.servers.stage import Stage
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def model_file() -> bytes:
    file = io.BytesIO()
    features, target = load_iris(return_X_y=True)
    joblib.dump(LogisticRegression(max_iter=200).fit(features, target), file)
    return file.getvalue()


@pytest.fixture
def ann(stage: Stage) -> httpx.Client:
    return stage.person("ann")


@pytest.fixture
def uploaded(stage: Stage, ann: httpx.Client, model_file: bytes) -> str:
    """A model of ann's that the cluster has."""
    form: dict[str, Any] = {"files": {"file": ("m.joblib", model_file)}, "data": {"name": "Iris"}}
    model_id: str = ann.post("/api/v1/models/upload", **form).raise_for_status().json()["id"]
    eventually(lambda: there(stage, model_id))
    return model_id


def there(stage: Stage, model_id: str) -> dict[str, Any] | None:
    found = stage.kubectl.try_run("get", "mlm", model_id, "-o", "json")
    return json.loads(found.stdout) if found.returncode == 0 else None


def spec(stage: Stage, model_id: str) -> dict[str, Any]:
    found = there(stage, model_id)
    assert found is not None
    return found["spec"]


def edit(stage: Stage, model_id: str, **changes: Any) -> None:
    stage.kubectl.run("patch", "mlm", model_id, "--type=merge", "-p", json.dumps({"spec": changes}))


def read(ann: httpx.Client, model_id: str) -> dict[str, Any]:
    return ann.get(f"/api/v1/models/{model_id}").raise_for_status().json()


def test_a_model_is_applied_once_and_a_second_time_writes_nothing(
    stage: Stage, ann: httpx.Client, uploaded: str
) -> None:
    before = there(stage, uploaded)
    assert before is not None
    assert before["spec"]["owner"] == ann.get("/api/v1/auth/me").json()["id"]
    ann.post(f"/api/v1/models/{uploaded}/redeploy").raise_for_status()
    ann.patch(f"/api/v1/models/{uploaded}", json={"description": "not in the resource"}).raise_for_status()
    ann.patch(f"/api/v1/models/{uploaded}", json={"name": "New"}).raise_for_status()
    after = eventually(
        lambda: (found := there(stage, uploaded)) and found["spec"]["displayName"] == "New" and found
    )
    # The name's change is the only write of the three.
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1


def test_what_kubectl_edits_is_shown_and_stays_until_the_api_changes_the_model(
    stage: Stage, ann: httpx.Client, uploaded: str
) -> None:
    extra = {"name": "v9", "framework": "onnx", "artifact": {"uri": "https://x/y", "sha256": "0" * 64}}
    edit(
        stage,
        uploaded,
        access="public",
        scaling={"minReplicas": 2, "maxReplicas": 3},
        versions=[*spec(stage, uploaded)["versions"], extra],
        traffic=[{"version": "v1", "weight": 40}, {"version": "v9", "weight": 60}],
    )
    edited = eventually(lambda: (found := read(ann, uploaded))["out_of_sync"] and found)
    assert [each["field"] for each in edited["sync"]] == ["access", "traffic", "versions.v9"]
    assert (edited["access"], edited["wanted_traffic"]) == ("public", {"v1": 40, "v9": 60})
    ann.patch(f"/api/v1/models/{uploaded}", json={"timeout_seconds": 11}).raise_for_status()
    eventually(lambda: spec(stage, uploaded)["timeoutSeconds"] == 11)
    now = eventually(lambda: (found := spec(stage, uploaded))["access"] == "private" and found)
    assert now["traffic"] == [{"version": "v1", "weight": 100}]
    assert [version["name"] for version in now["versions"]] == ["v1"]
    # Not the API's to decide.
    assert now["scaling"] == {"minReplicas": 2, "maxReplicas": 3}
    eventually(lambda: not read(ann, uploaded)["out_of_sync"])


def test_what_kubectl_deletes_is_shown_and_comes_back_when_redeployed(
    stage: Stage, ann: httpx.Client, uploaded: str
) -> None:
    stage.kubectl.run("delete", "mlm", uploaded)
    gone = eventually(lambda: (found := read(ann, uploaded))["reason"] == "NotDeployed" and found)
    assert gone["status"] == "failed"
    ann.post(f"/api/v1/models/{uploaded}/redeploy").raise_for_status()
    eventually(lambda: there(stage, uploaded))
    assert ann.delete(f"/api/v1/models/{uploaded}").status_code == 204
    eventually(lambda: there(stage, uploaded) is None)


def test_a_model_of_kubectl_is_for_admins_to_see_and_for_nobody_to_change(
    stage: Stage, ann: httpx.Client
) -> None:
    admin = stage.admin()
    stage.kubectl.run("apply", "-f", "-", input=stage.mlmodel("wine"))
    shown = eventually(
        lambda: (found := admin.get("/api/v1/models/wine")).status_code == 200 and found.json()
    )
    assert (shown["managed_by"], shown["owner_id"]) == ("kubectl", None)
    assert "wine" in [model["id"] for model in admin.get("/api/v1/models").json()["items"]]
    assert admin.delete("/api/v1/models/wine").status_code == 409
    assert ann.get("/api/v1/models/wine").status_code == 404
    stage.kubectl.run("delete", "mlm", "wine")
    eventually(lambda: admin.get("/api/v1/models/wine").status_code == 404)


def test_a_change_that_the_cluster_refuses_says_why(stage: Stage, ann: httpx.Client, uploaded: str) -> None:
    other = {"name": "v1", "framework": "onnx", "artifact": {"uri": "https://x/y", "sha256": "0" * 64}}
    spare = {**other, "name": "v2"}
    edit(stage, uploaded, versions=[spare], traffic=[{"version": "v2", "weight": 100}])
    edit(stage, uploaded, versions=[spare, other])
    ann.patch(f"/api/v1/models/{uploaded}", json={"access": "public"}).raise_for_status()
    refused = eventually(lambda: (found := read(ann, uploaded))["reason"] == "NotDeployed" and found)
    assert "cannot change; add a version with another name" in refused["message"]
    stage.kubectl.run("delete", "mlm", uploaded)
    eventually(lambda: (found := there(stage, uploaded)) and found["spec"]["access"] == "public", seconds=360)


def test_logs_of_a_version_without_a_pod_are_empty(ann: httpx.Client, uploaded: str) -> None:
    assert ann.get(f"/api/v1/models/{uploaded}/versions/v1/logs").raise_for_status().text == ""
