"""Unchanged clients of the Open Inference Protocol, each in its own environment, get the models' answers."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from onnx import helper

from tests.support import models
from tests.support.client_environments import python_with
from tests.support.onnx_graphs import Graph
from tests.support.platform_process import wait_until_ready

pytestmark = pytest.mark.slow

SCRIPTS = Path(__file__).with_name("clients")
MATRIX = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]], np.float32)
TEXTS = ["goal", "ünïcode"]


@dataclass
class Served:
    url: str
    key: str
    iris: str
    pair: str
    texts: str


@pytest.fixture(scope="module")
def served(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("clients")
    nodes = [helper.make_node("Identity", ["x"], ["a"]), helper.make_node("Neg", ["x"], ["b"])]
    shape = [None, 2]
    outputs = [("a", "float32", shape), ("b", "float32", shape)]
    pair = Graph(nodes, [("x", "float32", shape)], outputs).bytes()
    with platform.register_user() as user:
        key = user.post("/api/v1/api-keys", json={"name": "clients"}).json()["key"]
        files = {
            "iris": models.save_joblib(models.iris_logistic().model, folder).read_bytes(),
            "pair": pair,
            "texts": models.save_joblib(models.text_classifier().model, folder).read_bytes(),
        }
        ids = {name: upload(user, name, data) for name, data in files.items()}
        yield Served(platform.url, key, **ids)


def upload(user: httpx.Client, name: str, data: bytes) -> str:
    response = user.post("/api/v1/models/upload", files={"file": data}, data={"name": name})
    id_: str = response.raise_for_status().json()["id"]
    wait_until_ready(user, id_)
    return id_


def run(environment: str, script: str, *arguments: str) -> Any:
    command = [str(python_with(environment)), str(SCRIPTS / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_tritonclient(served: Served) -> None:
    host = served.url.partition("//")[2]
    reported = run("mlserver", "triton.py", host, served.key, served.iris, served.pair, served.texts)
    model = models.iris_logistic().model
    labels = model.predict(MATRIX).tolist()
    assert reported["ready"] == [True, True]
    assert reported["extensions"] == ["binary_tensor_data"]
    assert reported["labels"] == [labels] * 12
    assert reported["many"] == labels * 100
    assert reported["half"] == model.predict(MATRIX.astype(np.float16).astype(float)).tolist()
    assert reported["aio"] == [labels] * 2
    assert reported["probabilities"] == pytest.approx(
        model.predict_proba(MATRIX.astype(float)).ravel().tolist()
    )
    assert reported["texts"] == models.text_classifier().model.predict(TEXTS).tolist()
    assert reported["pair"] == [["a", "FP32", [-1, 2]], ["b", "FP32", [-1, 2]]]
    assert reported["outputs"] == [[-1, -2], [1, 2]]
    assert reported["config"]["input"] == [{"name": "x", "data_type": "TYPE_FP32", "dims": [-1, 2]}]
    errors = [reported[name] for name in ("nan", "nobody", "statistics", "index")]
    assert [status for status, _ in errors] == ["422", "401", "404", "404"]
    assert "missing" in reported["nan"][1]
    assert "GET /api/v1/models" in reported["index"][1]


def test_kserve(served: Served) -> None:
    reported = run("kserve", "kserve_client.py", served.url, served.key, served.iris)
    refused = reported.pop("refused")
    assert reported == {"labels": [models.iris_logistic().model.predict(MATRIX).tolist()] * 4, "ready": True}
    assert refused.startswith("inputs[0] has 3 values, but the model takes 4")


def test_mlserver(served: Served) -> None:
    reported = run("mlserver", "mlserver_codecs.py", served.url, served.key, served.iris, served.texts)
    assert reported == {
        "labels": models.iris_logistic().model.predict(MATRIX).tolist(),
        "texts": models.text_classifier().model.predict(TEXTS).tolist(),
    }
