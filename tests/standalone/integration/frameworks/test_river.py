"""Models of river, which the platform has no library for: each file predicts what river itself did.

`tests/fixtures/river/generate.py` trained them and stored what they predicted.
"""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.other_libraries import predict_in
from tests.support.platform_process import PlatformProcess, wait_until_ready

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(900)]
SAVED = Path(__file__).parents[3] / "fixtures" / "river"
ANSWERS: dict[str, dict[str, Any]] = json.loads((SAVED / "answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def python() -> Path:
    """The environment's, made by this process, whose uv knows this machine's index."""
    return EnvironmentStore(default_folder()).prepare(find("river-0.26"))


@pytest.fixture(scope="module")
def served(python: Path) -> dict[str, Any]:
    """Model → what the runtime predicts for its rows, and its signature."""
    rows = {f"{name}.joblib": answer["rows"] for name, answer in ANSWERS.items()} | {"series.joblib": []}
    answers = predict_in(python, "river", rows, SAVED)
    return {name.removesuffix(".joblib"): found for name, found in answers.found.items()}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_file_predicts_what_river_did(served: dict[str, Any], name: str) -> None:
    found, told = served[name], ANSWERS[name]
    assert found["predictions"] == told["prediction"], found
    assert found.get("probabilities") == told.get("probabilities")


def test_a_signature_has_what_the_model_has_seen(served: dict[str, Any]) -> None:
    def columns(name: str) -> dict[str, tuple[str, bool]]:
        listed = served[name]["signature"]["columns"] or []
        return {each["name"]: (each["kind"], each["optional"]) for each in listed}

    numbers = {"age": ("number", True), "income": ("number", True)}
    for name in ("logistic", "linear", "unscaled", "bayes", "neighbors", "anomalies", "clusters", "scaler"):
        assert columns(name) == numbers, name
    assert columns("mixed") == {
        "age": ("number", False), "income": ("number", False), "city": ("any", False), "zone": ("any", False),
    }  # fmt: skip
    assert columns("tree").keys() <= {"age", "income", "city", "zone"}
    assert columns("tree")
    assert columns("moods") == {"text": ("string", False)}
    assert served["words"]["signature"]["input"] == "text"
    assert served["places"]["signature"]["positional"]
    tasks = {name: found["signature"]["task"] for name, found in served.items() if name != "series"}
    assert {tasks[name] for name in ("logistic", "mixed", "tree", "words")} == {"classifier"}
    assert [tasks[name] for name in ("linear", "anomalies", "clusters", "scaler")] == [
        "regressor", "outlier", "clusterer", "transformer",
    ]  # fmt: skip


def test_a_series_is_refused_with_the_cure(served: dict[str, Any]) -> None:
    assert served["series"]["reason"] == "UnsupportedFormat"
    assert "Use a regressor whose rows hold" in served["series"]["message"]


def upload(client: httpx.Client, name: str) -> str:
    content = (SAVED / f"{name}.joblib").read_bytes()
    response = client.post("/api/v1/models/upload", files={"file": content}, data={"name": name})
    return str(response.raise_for_status().json()["id"])


def test_a_platform_without_river_serves_it(platform: PlatformProcess, python: Path) -> None:
    with platform.register_user() as client:
        models = {name: upload(client, name) for name in ("mixed", "neighbors")}
        for name, model_id in models.items():
            wait_until_ready(client, model_id)
            (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
            assert (version["framework"], version["environment"]) == ("river", "river-0.26")
            assert version["sandbox"]["level"] == 2
            response = client.post(f"/predict/{model_id}", json={"inputs": ANSWERS[name]["rows"] * 20})
            assert response.raise_for_status().json()["predictions"] == ANSWERS[name]["prediction"] * 20
            log = client.get(f"/api/v1/models/{model_id}/versions/v1/logs").text
            assert "system_call_refused" not in log
        good = ANSWERS["mixed"]["rows"][0]
        for wrong, field, said in [
            ({"age": "old"}, "input.age", "must be a number"),
            ({"city": None}, "input.city", "must not be null"),
            ({"street": 1}, "input.street", "is not a field of this model"),
            ({"zone": [1]}, "input.zone", "must be a single value"),
        ]:
            response = client.post(f"/predict/{models['mixed']}", json={"input": good | wrong})
            assert response.status_code == 422, response.text
            (error,) = response.json()["errors"]
            assert error["field"] == field
            assert said in error["message"]
