"""Folders of MLServer and of the Hugging Face Hub answer what their own tools did."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.platform_process import settled

SAVED = Path(__file__).parents[3] / "fixtures" / "model_folders"
KNOWN: dict[str, Any] = json.loads((SAVED / "answers.json").read_text(encoding="utf-8"))
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def test_mlservers_folders_answer_as_it_did_by_the_names_in_its_settings(account: httpx.Client) -> None:
    made = {name: upload(account, name) for name in ("mlserver_sklearn.zip", "mlserver_xgboost.tar.gz")}
    for name, id_ in made.items():
        model = settled(account, f"/api/v1/models/{id_}")
        assert model["status"] == "ready", model
        named = name == "mlserver_sklearn.zip"
        rows = [dict(zip(COLUMNS, row, strict=True)) if named else row[:3] for row in KNOWN["rows"]]
        answer = account.post(f"/predict/{id_}", json={"inputs": rows}).raise_for_status()
        assert answer.json()["predictions"] == pytest.approx(KNOWN[name], abs=1e-6)


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_a_folder_of_skops_runs_in_the_release_that_it_names(account: httpx.Client) -> None:
    EnvironmentStore(default_folder()).prepare(find("sklearn-1.2"))
    id_ = upload(account, "hub_skops.zip")
    model = settled(account, f"/api/v1/models/{id_}")
    assert (model["status"], model["versions"][0]["environment"]) == ("ready", "sklearn-1.2"), model
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in KNOWN["rows"]]
    answer = account.post(f"/predict/{id_}", json={"inputs": rows}).raise_for_status()
    assert answer.json()["predictions"] == pytest.approx(KNOWN["hub_skops.zip"], abs=1e-6)


def upload(account: httpx.Client, name: str) -> str:
    files = {"file": (name, (SAVED / name).read_bytes())}
    response = account.post("/api/v1/models/upload", files=files, data={"name": name})
    return str(response.raise_for_status().json()["id"])
