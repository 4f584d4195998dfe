"""A rollout on the whole platform: requests, copies, counts, and the end that they lead to."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import joblib
import pytest
from modelport.client import Modelport
from sklearn.linear_model import LogisticRegression

from tests.support.models import iris
from tests.support.platform_process import PlatformProcess

QUICK = {
    "replay": {"rows": 0},
    "steps": [50],
    "step_minutes": 0,
    "step_requests": 20,
    "bake_minutes": 0,
}
SECONDS = 240


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    running = PlatformProcess(tmp_path_factory.mktemp("rollouts")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def owner(platform: PlatformProcess) -> httpx.Client:
    return platform.register_user()


@pytest.fixture
def model(owner: httpx.Client, tmp_path: Path) -> str:
    """Its v1 serves."""
    with sdk(owner) as client:
        return client.wait_for_model(client.upload(trained(tmp_path), "Iris").id, seconds=SECONDS).id


def sdk(owner: httpx.Client) -> Modelport:
    return Modelport(str(owner.base_url), owner.headers["Authorization"].removeprefix("Bearer "))


def trained(folder: Path, labels: dict[str, str] | None = None) -> Path:
    """A model of the irises; of some the label is another one."""
    rows, names = iris()
    path = folder / f"{len(labels or {})}.joblib"
    answered = [(labels or {}).get(name, name) for name in names]
    joblib.dump(LogisticRegression(max_iter=1000).fit(rows, answered), path)
    return path


def rolled_out(
    owner: httpx.Client, model: str, path: Path, guardrails: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Begin it, send requests and tell what was true until it is over, and give it as it is then. No request
    may fail."""
    with path.open("rb") as file:
        form = {"file": (path.name, file)}
        added = owner.post(f"/api/v1/models/{model}/versions", files=form, data={"traffic": "0"})
    assert added.status_code == 202, added.text
    wanted = {"version": "v2", "strategy": QUICK | {"guardrails": guardrails or {}}}
    begun = owner.post(f"/api/v1/models/{model}/rollouts", json=wanted)
    assert begun.status_code == 201, begun.text
    address = f"/api/v1/models/{model}/rollouts/{begun.json()['id']}"
    values, names = iris()
    rows = itertools.cycle(zip(values.tolist(), names, strict=True))
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        told = []
        for row, name in itertools.islice(rows, 50):
            response = owner.post(f"/predict/{model}", json={"input": row})
            assert response.status_code == 200, response.text
            told.append({"request_id": response.headers["x-request-id"], "label": str(name)})
        owner.post(f"/api/v1/models/{model}/feedback", json={"items": told}).raise_for_status()
        found: dict[str, Any] = owner.get(address).json()
        if found["ended_at"]:
            return found
    raise AssertionError(f"it does not end: {found}")


def shares(owner: httpx.Client, model: str) -> dict[str, int]:
    """Once the end of the rollout has become the model's own traffic."""
    path = f"/api/v1/models/{model}"
    deadline = time.monotonic() + SECONDS
    while (found := owner.get(path).json())["traffic"] != found["wanted_traffic"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    shared: dict[str, int] = found["traffic"]
    return shared


@pytest.mark.slow
def test_a_model_that_answers_alike_is_promoted(owner: httpx.Client, model: str, tmp_path: Path) -> None:
    found = rolled_out(owner, model, trained(tmp_path))
    assert found["state"] == "promoted", found
    assert found["verdict"].startswith("v2 stayed within what is tolerated over ")
    assert shares(owner, model) == {"v2": 100}


@pytest.mark.slow
def test_a_model_with_another_label_is_rolled_back(owner: httpx.Client, model: str, tmp_path: Path) -> None:
    found = rolled_out(owner, model, trained(tmp_path, {"virginica": "setosa"}))
    assert found["state"] == "rolled_back", found
    assert found["verdict"].startswith("v2 answers ")
    assert found["verdict"].endswith(" v1 serves on.")
    assert shares(owner, model) == {"v1": 100}


@pytest.mark.slow
def test_a_model_that_turns_out_to_be_wrong_is_rolled_back_by_the_truth(
    owner: httpx.Client, model: str, tmp_path: Path
) -> None:
    owner.patch(f"/api/v1/models/{model}", json={"feedback": {}}).raise_for_status()
    path = trained(tmp_path, {"virginica": "setosa"})
    found = rolled_out(owner, model, path, {"disagreement": None, "quality": 0.05})
    assert found["state"] == "rolled_back", found
    assert found["verdict"].startswith("v2 is wrong about ")
    assert found["verdict"].endswith(" (5 % tolerated); v1 serves on.")
    quality = owner.get(f"/api/v1/models/{model}/quality").json()
    accuracies = {each["version"]: each["metrics"]["accuracy"]["value"] for each in quality["versions"]}
    assert accuracies["v1"] - accuracies["v2"] > 0.15
