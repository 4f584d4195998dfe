"""Rollouts on Kubernetes: asked for with kubectl or by the API, decided by what every gateway counted."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sklearn.linear_model import LogisticRegression

from tests.e2e.accounts import Person, register, save
from tests.e2e.artifact_server import File, mlmodel, serving
from tests.support.models import iris
from tests.support.open_loop import UNLIMITED
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

ROWS = itertools.cycle(iris()[0].tolist())
QUICK = {"replay": {"rows": 0}, "steps": [50], "stepMinutes": 0, "stepRequests": 20, "bakeMinutes": 0}
OF_THE_API = {"replay": {"rows": 0}, "steps": [50], "step_minutes": 0, "step_requests": 20, "bake_minutes": 0}


def trained(folder: Path, **labels: str) -> Path:
    """A model of the irises that says another label for some."""
    rows, names = iris()
    answered = [labels.get(name, name) for name in names]
    return save(LogisticRegression(max_iter=1000).fit(rows, answered), folder / f"{len(labels)}.joblib")


@pytest.fixture(scope="module")
def artifact(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[File]:
    with serving(platform, trained(tmp_path_factory.mktemp("rollouts"))) as file:
        yield file


def send(predict: Callable[[Any], httpx.Response], over: Callable[[], Any]) -> Any:
    """Send requests, none of which may fail, until the rollout is over; give what `over` does then."""

    def sent() -> Any:
        for row in itertools.islice(ROWS, 50):
            response = predict(row)
            assert response.status_code == 200, response.text
        return over()

    return eventually(sent, seconds=400)


def test_an_mlmodel_has_a_rollout_of_its_own(platform: Any, artifact: File) -> None:
    model = mlmodel("rolling", artifact, rateLimit={"requests": 1_000_000, "periodSeconds": 1})
    platform.models.run("apply", "-f", "-", input=model)
    try:
        platform.models.run("wait", "--for=condition=Ready", "mlm/rolling", "--timeout=240s", timeout=270)
        first = model["spec"]["versions"][0]
        model["spec"]["versions"] = [first, {**first, "name": "v2"}]
        model["spec"]["rollout"] = {"id": 1, "version": "v2", "strategy": QUICK}
        platform.models.run("apply", "-f", "-", input=model)
        with httpx.Client(base_url=platform.url, timeout=60) as client:

            def over() -> Any:
                rollout = platform.models.json("get", "mlm", "rolling")["status"].get("rollout", {})
                return rollout if rollout.get("endedAt") else None

            eventually(lambda: client.post("/predict/rolling", json={"input": next(ROWS)}).is_success)
            ended = send(lambda row: client.post("/predict/rolling", json={"input": row}), over)
        assert ended["state"] == "Promoted", ended
        traffic = platform.models.json("get", "mlm", "rolling")["status"]["traffic"]
        assert traffic == [{"version": "v2", "weight": 100}]
        assert "Promoted" in platform.models.run("get", "mlm", "rolling")
    finally:
        platform.models.run("delete", "mlm", "rolling")


@pytest.fixture(scope="module")
def person(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    registered = register(platform.url, tmp_path_factory.mktemp("home"))
    yield registered
    registered.delete_models()


def test_a_version_with_other_labels_is_rolled_back(platform: Any, person: Person, tmp_path: Path) -> None:
    model_id = person.upload(trained(tmp_path), "--name", "rolled back")["id"]
    person.upload(trained(tmp_path, virginica="setosa"), "--to", model_id, "--no-traffic")
    with person.http() as client:
        client.patch(f"/api/v1/models/{model_id}", json=UNLIMITED).raise_for_status()
        path = f"/api/v1/models/{model_id}/rollouts"
        begun = client.post(path, json={"version": "v2", "strategy": OF_THE_API})
        assert begun.status_code == 201, begun.text

        def over() -> Any:
            rollout = client.get(f"{path}/{begun.json()['id']}").raise_for_status().json()
            return rollout if rollout["ended_at"] else None

        ended = send(lambda row: client.post(f"/predict/{model_id}", json={"input": row}), over)
    assert ended["state"] == "rolled_back", ended
    assert ended["verdict"].startswith("v2 answers ")
    assert "RolloutRolledBack" in platform.models.run("events", "--for", f"mlmodel/{model_id}")
    assert person.model(model_id)["traffic"] == {"v1": 100}
