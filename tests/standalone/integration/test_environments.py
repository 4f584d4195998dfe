"""Files of an earlier scikit-learn, served by the library that saved them."""

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.platform_process import PlatformProcess, settled, wait_until_ready
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
_SAVED = Path(__file__).parents[2] / "fixtures" / "other_versions"
# What saved it, and which file; the first is read differently there than by any later version.
_OLDEST = ("1.1.3", "calibrated")
_OLD = ("1.2.2", "boosting")


@pytest.fixture(autouse=True, scope="module")
def made() -> None:
    """By this process, whose uv knows this machine's index; the platform's own has another home."""
    kept = EnvironmentStore(default_folder())
    for name in ("sklearn-1.1", "sklearn-1.2", "sklearn-1.3"):
        kept.prepare(find(name))


def answers(version: str, name: str) -> dict[str, Any]:
    """Its own version's, by method, of `rows`."""
    found: dict[str, Any] = json.loads((_SAVED / version / "answers.json").read_text(encoding="utf-8"))[name]
    return found


def upload(client: httpx.Client, version: str, name: str, **fields: str) -> dict[str, Any]:
    file = (_SAVED / version / f"{name}.joblib").read_bytes()
    response = client.post("/api/v1/models/upload", files={"file": file}, data={"name": "old", **fields})
    made: dict[str, Any] = response.raise_for_status().json()
    return made


def predictions(client: httpx.Client, model_id: str, rows: list[Any]) -> Any:
    response = client.post(f"/predict/{model_id}", json={"inputs": rows})
    return response.raise_for_status().json()["predictions"]


@pytest.mark.parametrize("file", [_OLDEST, _OLD])
def test_a_file_is_served_by_the_library_that_saved_it(
    platform: PlatformProcess, file: tuple[str, str]
) -> None:
    environment = f"sklearn-{file[0].rpartition('.')[0]}"
    expected = answers(*file)
    with platform.register_user() as client:
        model_id = upload(client, *file, environment=environment)["id"]
        wait_until_ready(client, model_id)
        assert predictions(client, model_id, expected["rows"]) == expected["predict"]
        (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
        assert version["environment"] == environment
        assert version["signature"]["task"] == "classifier"
        assert version["libraries"]["here"]["scikit-learn"] == file[0]
        assert version["sandbox"]["level"] == 2
        assert version["libraries"]["differences"] == []


@pytest.mark.parametrize(("name", "task"), [("forest", "classifier"), ("boosting_numbers", "regressor")])
def test_kernels_are_proven_there_too(platform: PlatformProcess, name: str, task: str) -> None:
    with platform.register_user() as client:
        model_id = upload(client, "1.2.2", name, environment="sklearn-1.2")["id"]
        wait_until_ready(client, model_id)

        def compared() -> dict[str, Any]:
            (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
            found: dict[str, Any] = version if version["acceleration"]["rows_compared"] else {}
            return found

        version = eventually(compared)
        assert version["signature"]["task"] == task
        assert version["acceleration"]["largest_difference"] < 1e-12
        expected = answers("1.2.2", name)
        found = predictions(client, model_id, expected["rows"])
        assert found == (expected["predict"] if task == "classifier" else pytest.approx(expected["predict"]))


def test_an_environment_serves_no_file_of_another_version_and_another_try_may_be_elsewhere(
    platform: PlatformProcess,
) -> None:
    with platform.register_user() as client:
        model_id = upload(client, *_OLD, environment="sklearn-1.3")["id"]
        failed = settled(client, f"/api/v1/models/{model_id}")
        assert (failed["status"], failed["reason"]) == ("failed", "LibraryMismatch"), failed
        assert "saved with scikit-learn 1.2.2; scikit-learn 1.3.2 is here" in failed["message"]
        retry = f"/api/v1/models/{model_id}/versions/v1/retry"
        refused = client.post(retry, json={"environment": "sklearn-0.9"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "environment")
        again = client.post(retry, json={"environment": "platform"}).raise_for_status().json()
        assert (again["name"], again["environment"]) == ("v2", None)
        wait_until_ready(client, model_id)
        expected = answers(*_OLD)
        assert predictions(client, model_id, expected["rows"]) == expected["predict"]


def test_members_of_one_environment_are_joined_in_it(platform: PlatformProcess) -> None:
    names = ("boosting", "forest")
    expected = [answers("1.2.2", name) for name in names]
    with platform.register_user() as client:
        members = [
            {"model": upload(client, "1.2.2", name, environment="sklearn-1.2")["id"]} for name in names
        ]
        ensemble = json.dumps({"join": "average", "members": members})
        parts = {"name": (None, "both"), "ensemble": (None, ensemble)}
        made = client.post("/api/v1/models/upload", files=parts).raise_for_status().json()
        wait_until_ready(client, made["id"])

        body = {"inputs": expected[0]["rows"], "return": ["probabilities"]}
        answer = client.post(f"/predict/{made['id']}", json=body).raise_for_status().json()

        shares = np.array([[*row.values()] for row in answer["probabilities"]])
        np.testing.assert_allclose(
            shares, np.mean([each["predict_proba"] for each in expected], axis=0), atol=1e-9
        )
        (version,) = client.get(f"/api/v1/models/{made['id']}").json()["versions"]
        assert (version["environment"], version["sandbox"]["level"]) == ("sklearn-1.2", 2)
        assert version["libraries"]["here"]["scikit-learn"] == "1.2.2"
