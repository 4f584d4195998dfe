"""The main job, as a data scientist does it: register, upload, predict, a new version, rollback, delete."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.accounts import Person, register, save
from tests.support.models import iris_frame, iris_logistic_named
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


@pytest.fixture(scope="module")
def person(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return register(platform.url, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def iris(person: Person, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = save(iris_logistic_named().model, tmp_path_factory.mktemp("models") / "iris.joblib")
    model_id: str = person.upload(path, "--name", "iris")["id"]
    return model_id


def test_an_uploaded_model_predicts_through_the_ingress_what_the_pipeline_does(
    person: Person, iris: str
) -> None:
    rows = iris_frame().iloc[::10].to_dict("records")
    with person.http() as client:
        answer = client.post(f"/predict/{iris}", json={"inputs": rows}).raise_for_status().json()
    assert answer["predictions"] == iris_logistic_named().model.predict(iris_frame().iloc[::10]).tolist()


def test_its_second_response_comes_from_the_cache_that_gateways_share(person: Person, iris: str) -> None:
    person.http().patch(f"/api/v1/models/{iris}", json={"cache_ttl_seconds": 3600}).raise_for_status()
    eventually(lambda: person.predict(iris, ROW).headers["X-Cache"] == "hit")
    rows = [ROW | {"sepal_width": 2 + number / 10} for number in range(20)]
    for row in rows:
        person.predict(iris, row)
    # Two gateways: were the cache their own, every second of these would miss. A busy Redis may now
    # and then take longer than a gateway waits.
    assert [person.predict(iris, row).headers["X-Cache"] for row in rows].count("hit") >= 17


def test_the_sandbox_in_a_pod_is_the_full_one(person: Person, iris: str) -> None:
    sandbox = person.model(iris)["versions"][0]["sandbox"]
    assert sandbox["level"] == 2, sandbox


def test_its_responses_come_from_kernels_that_were_proven_in_the_pod(person: Person, iris: str) -> None:
    version = person.model(iris)["versions"][0]
    assert version["engine"] == "numpy", version["acceleration"]
    assert version["acceleration"]["rows_compared"] >= 1000


def test_kubectl_get_shows_its_readiness_version_and_traffic(platform: Any, iris: str) -> None:
    line = platform.models.run("get", "mlm", iris, "--no-headers").split()
    assert line[:6] == [iris, "True", "Serving", "v1", "100", "1"]


def test_nobody_else_sees_a_private_model(platform: Any, iris: str, tmp_path: Path) -> None:
    outsider = register(platform.url, tmp_path)
    with outsider.http() as client:
        refused = client.post(f"/predict/{iris}", json={"input": ROW})
        unknown = client.post("/predict/iris-00000", json={"input": ROW})
        assert client.get(f"/api/v1/models/{iris}").status_code == 404
    assert (refused.status_code, unknown.status_code) == (404, 404)
    assert refused.json()["detail"].replace(iris, "") == unknown.json()["detail"].replace("iris-00000", "")


def test_a_bad_version_leaves_the_good_one_serving_and_kubectl_says_why(
    platform: Any, person: Person, iris: str, tmp_path: Path
) -> None:
    # A class of a module that only its author has.
    bad = save(Person("", "", "", tmp_path), tmp_path / "bad.joblib")
    person.cli("upload", str(bad), "--to", iris, "--type", "sklearn", check=False)
    degraded = platform.models.json("get", "mlm", iris)
    conditions = {each["type"]: each for each in degraded["status"]["conditions"]}
    assert conditions["Ready"]["status"] == "True"
    assert conditions["Degraded"]["status"] == "True"
    assert conditions["Degraded"]["reason"] == "MissingModule"
    assert "tests" in conditions["Degraded"]["message"]
    # Its pods are gone; why it failed can be read all the same.
    assert "MissingModule" in person.cli("logs", iris, "--version", "v2")
    assert person.predict(iris, ROW).json() == {"model": iris, "version": "v1", "prediction": "setosa"}
    person.cli("rollback", iris)


def test_a_new_version_takes_over_and_a_rollback_brings_the_old_one_back(
    person: Person, iris: str, tmp_path: Path
) -> None:
    path = save(iris_logistic_named().model, tmp_path / "again.joblib")
    person.upload(path, "--to", iris)
    newest = person.model(iris)["versions"][-1]["name"]
    assert person.predict(iris, ROW, **{"Cache-Control": "no-cache"}).headers["X-Modelport-Version"] == newest
    person.cli("rollback", iris)
    eventually(lambda: person.predict(iris, ROW).headers["X-Modelport-Version"] == "v1")


def test_a_delete_leaves_nothing_in_the_cluster(platform: Any, person: Person, iris: str) -> None:
    person.cli("delete", iris, "--yes")
    kinds = "mlm,deploy,rs,pod,svc,endpointslice,sa,networkpolicy,pdb"
    selector = f"serving.modelport.dev/model={iris}"
    eventually(lambda: not platform.models.json("get", kinds, "-l", selector)["items"], seconds=360)
    assert person.predict(iris, ROW).status_code == 404
