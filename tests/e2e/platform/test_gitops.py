"""Models that nobody uploaded: `kubectl apply` of an MLModel whose file lies on a plain HTTP server."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.accounts import save
from tests.e2e.artifact_server import File, mlmodel, put_on_a_claim, serving
from tests.support.models import iris_logistic_named
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


@pytest.fixture(scope="module")
def artifact(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[File]:
    path = save(iris_logistic_named().model, tmp_path_factory.mktemp("artifact-server") / "iris.joblib")
    with serving(platform, path) as file:
        yield file


def reason(platform: Any, name: str) -> str:
    found = platform.models.json("get", "mlm", name).get("status", {}).get("conditions", [])
    return next((each["reason"] for each in found if each["type"] == "Ready"), "")


@pytest.fixture
def applied(platform: Any) -> Iterator[Any]:
    names: list[str] = []

    def apply(model: dict[str, Any]) -> str:
        platform.models.run("apply", "-f", "-", input=model)
        names.append(model["metadata"]["name"])
        return names[-1]

    yield apply
    platform.models.run("delete", "mlm", *names)


def test_a_model_applied_with_kubectl_serves_under_its_name(
    platform: Any, artifact: File, applied: Any
) -> None:
    name = applied(mlmodel("gitops", artifact))
    platform.models.run("wait", "--for=condition=Ready", f"mlm/{name}", "--timeout=240s", timeout=270)
    response = eventually(
        lambda: _ok(httpx.post(f"{platform.url}/predict/{name}", json={"input": ROW}, timeout=60)), seconds=20
    )
    assert response.json() == {"model": name, "version": "v1", "prediction": "setosa"}


def _ok(response: httpx.Response) -> httpx.Response | None:
    return response if response.status_code == 200 else None


def test_a_file_on_a_volume_claim_is_read_by_the_init_container_alone(platform: Any, applied: Any) -> None:
    file = put_on_a_claim(platform, "files", "models/iris.joblib", iris_logistic_named().model)
    name = applied(mlmodel("claimed", file))
    platform.models.run("wait", "--for=condition=Ready", f"mlm/{name}", "--timeout=240s", timeout=270)
    spec = platform.models.json("get", "deployment", f"{name}-v1")["spec"]["template"]["spec"]
    claim = next(each["name"] for each in spec["volumes"] if "persistentVolumeClaim" in each)
    assert claim in {mount["name"] for mount in spec["initContainers"][0]["volumeMounts"]}
    assert claim not in {mount["name"] for mount in spec["containers"][0]["volumeMounts"]}


def test_a_file_that_is_not_what_the_digest_says_is_refused(
    platform: Any, artifact: File, applied: Any
) -> None:
    name = applied(mlmodel("forged", File(artifact.uri, "0" * 64)))
    eventually(lambda: reason(platform, name) == "DigestMismatch")


def test_a_file_that_is_not_there_is_said_so(platform: Any, artifact: File, applied: Any) -> None:
    name = applied(mlmodel("missing", File(artifact.uri.replace("iris", "nothing"), artifact.sha256)))
    eventually(lambda: reason(platform, name) == "ArtifactNotFound")


def test_a_model_serves_once_somebody_elses_object_has_left_its_name(
    platform: Any, artifact: File, applied: Any
) -> None:
    platform.models.run("create", "service", "clusterip", "taken-v1", "--tcp=80")
    before = platform.models.json("get", "service", "taken-v1")
    name = applied(mlmodel("taken", artifact))
    eventually(lambda: reason(platform, name) == "NameTaken")
    assert httpx.post(f"{platform.url}/predict/{name}", json={"input": ROW}, timeout=60).status_code == 503
    assert platform.models.json("get", "service", "taken-v1") == before
    platform.models.run("delete", "service", "taken-v1")
    platform.models.run("wait", "--for=condition=Ready", f"mlm/{name}", "--timeout=240s", timeout=270)
    response = eventually(
        lambda: _ok(httpx.post(f"{platform.url}/predict/{name}", json={"input": ROW}, timeout=60)), seconds=20
    )
    assert response.json()["prediction"] == "setosa"


def test_a_model_that_requests_too_much_is_reported_as_unschedulable(
    platform: Any, artifact: File, applied: Any
) -> None:
    model = mlmodel("greedy", artifact)
    model["spec"]["versions"][0]["resources"] = {"requests": {"cpu": "1000"}}
    name = applied(model)
    eventually(lambda: reason(platform, name) == "Unschedulable")


def test_a_child_changed_or_deleted_by_hand_comes_back(platform: Any, artifact: File, applied: Any) -> None:
    name = applied(mlmodel("drifting", artifact))
    platform.models.run("wait", "--for=condition=Ready", f"mlm/{name}", "--timeout=240s", timeout=270)
    child = f"{name}-v1"
    platform.models.run("delete", "service", child)
    platform.models.run("scale", "deployment", child, "--replicas=3")
    eventually(lambda: platform.models.try_run("get", "service", child).returncode == 0)
    eventually(lambda: platform.models.json("get", "deployment", child)["spec"]["replicas"] == 1)


def test_kubectl_scale_is_what_runs(platform: Any, artifact: File, applied: Any) -> None:
    name = applied(mlmodel("scaled", artifact, scaling={"minReplicas": 1, "maxReplicas": 3}))
    platform.models.run("wait", "--for=create", f"deployment/{name}-v1", "--timeout=120s")
    platform.models.run("scale", "mlm", name, "--replicas=2")
    eventually(lambda: platform.models.json("get", "deployment", f"{name}-v1")["spec"]["replicas"] == 2)
    eventually(lambda: platform.models.json("get", "pdb", f"{name}-v1"))
