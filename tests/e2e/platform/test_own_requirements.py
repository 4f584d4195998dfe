"""A model with packages of its own: a Job makes their bundle once, whatever is killed, and pods unpack it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import package_index
from tests.e2e.accounts import Person, register
from tests.e2e.kubectl import Kubectl
from tests.e2e.release import BUNDLES_NAMESPACE
from tests.support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.timeout(900)]

PACKAGES = ("its-own", "another", "killed", "evicted", "withdrawn")
BOOSTERS = Path(__file__).parents[2] / "fixtures" / "other_boosters" / "lightgbm-4.6.0"
# What the fixture was saved with, and what that needs.
GIVEN = ("lightgbm==4.6.0", "scikit-learn==1.3.2", "pandas==2.1.4", "numpy==1.26.4")
NEEDED = (
    *("scipy==1.11.4", "threadpoolctl==3.2.0", "python-dateutil==2.8.2", "pytz==2023.3", "six==1.16.0"),
    "tzdata==2023.3",
)
OPERATOR = "deployment/modelport-operator"
MODEL = """
import ctypes

import {module}

# As LightGBM's wheel does when it is imported.
ctypes.CDLL("libgomp.so.1")

class Model:
    def predict(self, rows: list[str]):
        return [[{module}.__version__, {module}.__file__, row] for row in rows]
"""


@pytest.fixture(scope="module")
def person(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    registered = register(platform.url, tmp_path_factory.mktemp("home"))
    yield registered
    registered.delete_models()


@pytest.fixture(scope="module")
def bundles(platform: Any) -> Kubectl:
    return Kubectl(platform.release.kubeconfig, BUNDLES_NAMESPACE)


@pytest.fixture(scope="module")
def index(platform: Any, own_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = package_index.fetch(tmp_path_factory.mktemp("index"), *PACKAGES, beside=(*GIVEN, *NEEDED))
    package_index.start(platform.release, folder, platform.runtime_image)
    yield folder
    package_index.stop(platform.release)


def upload(person: Person, package: str, model_id: str | None = None) -> dict[str, Any]:
    files = {"file": ("texts.py", MODEL.format(module=package.replace("-", "_")).encode())}
    path = f"/api/v1/models/{model_id}/versions" if model_id else "/api/v1/models/upload"
    data = {"requirements": f"{package}==1.0\n"} | ({} if model_id else {"name": package})
    with person.http() as client:
        response = client.post(path, files=files, data=data)
        assert response.status_code == 202, response.text
        made: dict[str, Any] = response.json()
    return made


def version_of(person: Person, model_id: str, name: str = "v1") -> dict[str, Any]:
    found = person.model(model_id)["versions"]
    return next(each for each in found if each["name"] == name)


def becomes(person: Person, model_id: str, status: str, name: str = "v1", seconds: float = 240) -> Any:
    def reached() -> bool:
        version = version_of(person, model_id, name)
        assert version["status"] in {status, "pending", "degraded"}, version
        return bool(version["status"] == status)

    eventually(reached, seconds=seconds)
    return version_of(person, model_id, name)


def jobs(bundles: Kubectl) -> dict[str, str]:
    found = bundles.json("get", "jobs")["items"]
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in found}


def pods_of(bundles: Kubectl, job: str) -> list[Any]:
    items: list[Any] = bundles.json("get", "pods", "-l", f"batch.kubernetes.io/job-name={job}")["items"]
    return items


def evict(bundles: Kubectl, pod: str) -> None:
    """As draining its node does."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{BUNDLES_NAMESPACE}/pods/{pod}/eviction"
    bundles.run("create", "--raw", path, "-f", "-", input=body)


def kill(bundles: Kubectl, pod: str) -> None:
    bundles.run("delete", "pod", pod, "--grace-period=0", "--force")


def kill_operators(platform: Any) -> None:
    label = "app.kubernetes.io/component=operator"
    platform.release.run("delete", "pod", "-l", label, "--grace-period=0", "--force")


def test_it_predicts_with_its_own_packages_in_the_full_sandbox_and_they_are_packed_once(
    platform: Any, person: Person, bundles: Kubectl, index: Path
) -> None:
    made = upload(person, "its-own")
    version = becomes(person, made["id"], "ready")
    with person.http() as client:
        given = client.post(f"/predict/{made['id']}", json={"input": "four"}).raise_for_status().json()
    assert given["prediction"] == ["1.0", "/modelport/artifact/packages/its_own.py", "four"]
    assert version["sandbox"]["level"] == 2, version["sandbox"]
    before = jobs(bundles)
    assert len(before) == 1
    (job,) = before
    assert len(pods_of(bundles, job)) == 1
    upload(person, "its-own", made["id"])
    becomes(person, made["id"], "ready", "v2")
    assert jobs(bundles) == before
    assert len(pods_of(bundles, job)) == 1
    # Nothing that the Job may write with is in a pod of a model.
    token = bundles.json("get", "job", job)["spec"]["template"]["spec"]["containers"][0]["env"]
    (opens,) = (each["value"] for each in token if each["name"] == "MODELPORT_BUNDLE_TOKEN")
    assert opens not in platform.models.run("get", "pods,deployments", "-o", "json")


def test_a_lightgbm_of_its_own_predicts_what_it_did_when_it_was_saved(
    person: Person, index: Path, tmp_path: Path
) -> None:
    known = json.loads((BOOSTERS / "answers.json").read_text())["classes"]
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("\n".join(GIVEN))
    options = ("--requirements", str(requirements), "--sample", json.dumps(known["rows"][0]))
    model = person.upload(BOOSTERS / "classes.joblib", *options)
    with person.http() as client:
        given = client.post(f"/predict/{model['id']}", json={"inputs": known["rows"]}).raise_for_status()
    assert given.json()["predictions"] == known["predict"]
    (version,) = person.model(model["id"])["versions"]
    assert (version["framework"], version["sandbox"]["level"]) == ("lightgbm", 2)
    assert set(GIVEN) <= set(version["requirements"]["packages"])


def test_an_index_that_is_away_is_said_and_the_version_serves_once_it_is_back(
    platform: Any, person: Person, bundles: Kubectl, index: Path
) -> None:
    platform.release.run("scale", OPERATOR, "--replicas=0")
    try:
        made = upload(person, "another")
        package_index.stop(platform.release)
    finally:
        platform.release.run("scale", OPERATOR, "--replicas=2")

    def said() -> bool:
        version = version_of(person, made["id"])
        return version["reason"] == "EnvironmentUnavailable" and "package-index" in version["message"]

    eventually(said, seconds=240)
    package_index.start(platform.release, index, platform.runtime_image)
    becomes(person, made["id"], "ready", seconds=400)


def test_what_the_index_refuses_has_one_job_made_and_the_version_is_tried_again_on_demand(
    platform: Any, person: Person, bundles: Kubectl, index: Path
) -> None:
    known = jobs(bundles)
    platform.release.run("scale", OPERATOR, "--replicas=0")
    try:
        made = upload(person, "withdrawn")
        package_index.withdraw(platform.release, "withdrawn")
    finally:
        platform.release.run("scale", OPERATOR, "--replicas=2")
    eventually(lambda: version_of(person, made["id"])["status"] == "failed", seconds=240)
    version = version_of(person, made["id"])
    assert version["reason"] == "EnvironmentUnavailable"
    assert "withdrawn was not found in the package registry" in version["message"], version
    (job,) = jobs(bundles).keys() - known.keys()
    bundles.run("wait", "--for=condition=Failed", f"job/{job}", "--timeout=60s")
    conditions = bundles.json("get", "job", job)["status"]["conditions"]
    assert {each["reason"] for each in conditions} == {"PodFailurePolicy"}
    assert len(pods_of(bundles, job)) == 1
    bundles.run("wait", "--for=delete", f"job/{job}", "--timeout=200s")
    package_index.bring_back(platform.release, "withdrawn")
    person.cli("retry", made["id"])
    becomes(person, made["id"], "ready", "v2")


def test_a_bundle_that_is_lost_is_made_again_when_a_pod_needs_it(
    platform: Any, person: Person, bundles: Kubectl, index: Path
) -> None:
    made = upload(person, "its-own")
    becomes(person, made["id"], "ready")
    (known,) = platform.models.json("get", "mlmodel", made["id"])["status"]["versions"]
    bundle = known["bundle"]
    file = f"/var/lib/modelport/artifacts/sha256/{bundle[:2]}/{bundle}"
    platform.release.run("exec", "deployment/modelport-control-api", "--", "rm", file)
    # Of when it was made: one that has ended is not started again.
    bundles.run("delete", "jobs", "--all")
    platform.models.run("delete", "pod", "-l", f"serving.modelport.dev/model={made['id']}", "--wait=false")
    eventually(lambda: len(jobs(bundles)) == 1, seconds=120)
    becomes(person, made["id"], "ready", seconds=400)
    platform.release.run("exec", "deployment/modelport-control-api", "--", "test", "-f", file)
    with person.http() as client:
        given = client.post(f"/predict/{made['id']}", json={"input": "four"}).raise_for_status().json()
    assert given["prediction"][2] == "four"


@pytest.mark.parametrize(("package", "end"), [("killed", kill), ("evicted", evict)])
def test_a_job_that_is_ended_with_the_operator_still_comes_to_its_end(
    platform: Any,
    person: Person,
    bundles: Kubectl,
    index: Path,
    package: str,
    end: Callable[[Kubectl, str], None],
) -> None:
    known = jobs(bundles)
    made = upload(person, package)
    eventually(lambda: len(jobs(bundles)) > len(known), seconds=120)
    (job,) = jobs(bundles).keys() - known.keys()
    eventually(
        lambda: [each["status"]["phase"] for each in pods_of(bundles, job)] == ["Running"], seconds=120
    )
    (first,) = pods_of(bundles, job)
    end(bundles, first["metadata"]["name"])
    kill_operators(platform)
    bundles.run("wait", "--for=condition=Complete", f"job/{job}", "--timeout=230s")
    becomes(person, made["id"], "ready", seconds=400)
