"""MLflow folders, uploaded as they are, answer what `mlflow.pyfunc` did when they were saved."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.platform_process import settled

SAVED = Path(__file__).parents[3] / "fixtures" / "mlflow"
KNOWN: dict[str, Any] = json.loads((SAVED / "answers.json").read_text(encoding="utf-8"))


def test_folders_answer_as_mlflow_did(account: httpx.Client) -> None:
    """They start together, and the rows that each predicts first are of their input examples."""
    made = {name: upload(account, name) for name in ("skops.zip", "onnx.tar", "code.tar.gz")}
    for name, id_ in made.items():
        model = settled(account, f"/api/v1/models/{id_}")
        assert model["status"] == "ready", model
        assert model["versions"][0]["sample"] == {"input": KNOWN[name]["rows"][0]}
        answer = account.post(f"/predict/{id_}", json={"inputs": KNOWN[name]["rows"]}).raise_for_status()
        assert answer.json()["predictions"] == expected(name)


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_a_graph_of_tensorflow_answers_as_it_did(account: httpx.Client) -> None:
    EnvironmentStore(default_folder()).prepare(find("tensorflow-2.21"))
    id_ = upload(account, "graph.zip")
    model = settled(account, f"/api/v1/models/{id_}")
    assert model["status"] == "ready", model
    answer = account.post(f"/predict/{id_}", json={"inputs": KNOWN["graph.zip"]["rows"]}).raise_for_status()
    assert answer.json()["predictions"] == KNOWN["graph.zip"]["predictions"]


def upload(account: httpx.Client, name: str) -> str:
    files = {"file": (name, (SAVED / name).read_bytes())}
    response = account.post("/api/v1/models/upload", files=files, data={"name": name})
    return str(response.raise_for_status().json()["id"])


def expected(name: str) -> Any:
    """Of an ONNX graph MLflow gives all outputs."""
    predictions = KNOWN[name]["predictions"]
    return predictions["label"] if isinstance(predictions, dict) else predictions
