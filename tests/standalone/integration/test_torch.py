"""Files of PyTorch, from the upload to what its own process said of the same rows when they were saved."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.platform_process import PlatformProcess, wait_until_ready

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1800)]
FILES = Path(__file__).parents[2] / "fixtures" / "torch"
SAID = json.loads((FILES / "answers.json").read_text(encoding="utf-8"))
NETWORKS = json.loads((FILES / "networks.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True, scope="module")
def made() -> None:
    """By this process, whose uv knows this machine's index; the platform's own has another home."""
    EnvironmentStore(default_folder()).prepare(find("torch-2.15"))


@pytest.fixture(scope="module")
def client(platform: PlatformProcess) -> Iterator[httpx.Client]:
    with platform.register_user() as registered:
        yield registered


def upload(client: httpx.Client, name: str, **fields: str) -> httpx.Response:
    file = (name, (FILES / name).read_bytes())
    return client.post("/api/v1/models/upload", files={"file": file}, data={"name": name, **fields})


def served(client: httpx.Client, name: str) -> str:
    made: dict[str, Any] = upload(client, name).raise_for_status().json()
    wait_until_ready(client, made["id"])
    (version,) = client.get(f"/api/v1/models/{made['id']}").json()["versions"]
    assert (version["framework"], version["environment"]) == ("torch", "torch-2.15")
    assert version["sandbox"]["level"] == 2
    return str(made["id"])


@pytest.fixture(scope="module", params=["dynamic.pt2", "fixed.pt2", "cast.pt2", "script.pt"])
def network(client: httpx.Client, request: pytest.FixtureRequest) -> str:
    return served(client, request.param)


def test_it_answers_as_pytorch_did(client: httpx.Client, network: str) -> None:
    rows, expected = SAID["rows"], SAID["mlp"]
    # More than a program takes at once, of a fixed and of a limited batch.
    response = client.post(f"/predict/{network}", json={"inputs": rows * 50})
    for found, wanted in zip(response.raise_for_status().json()["predictions"], expected * 50, strict=True):
        assert found == pytest.approx(wanted, abs=1e-6)
    alone = client.post(f"/predict/{network}", json={"input": rows[1]}).json()["prediction"]
    assert alone == pytest.approx(expected[1], abs=1e-6)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ([1, 2, 3], "input"),
        ([1, 2, 3, 4, 5], "input"),
        ([1, 2, 3, "four"], "input[3]"),
        ([1, 2, 3, None], "input[3]"),
        ([[1, 2, 3, 4]], "input"),
        (1, "input"),
    ],
)
def test_what_does_not_fit_is_the_callers_error(
    client: httpx.Client, network: str, row: Any, field: str
) -> None:
    response = client.post(f"/predict/{network}", json={"input": row})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field), response.text


def test_several_inputs_and_outputs_have_their_names(client: httpx.Client) -> None:
    model_id = served(client, "two.pt2")
    rows = [{"kind": kind, "measures": row} for kind, row in zip(SAID["kinds"], SAID["rows"], strict=True)]
    found = (
        client.post(f"/predict/{model_id}", json={"inputs": rows}).raise_for_status().json()["predictions"]
    )
    assert [each["length"] for each in found] == pytest.approx(SAID["length"], rel=1e-6)
    for each, wanted in zip(found, SAID["score"], strict=True):
        assert each["score"] == pytest.approx(wanted, rel=1e-6)
    refused = client.post(f"/predict/{model_id}", json={"input": {"kind": 1.5, "measures": [1, 2, 3]}})
    fields = {each["field"] for each in refused.json()["errors"]}
    assert (refused.status_code, fields) == (422, {"input.kind", "input.measures"})
    tensors = client.get(f"/v2/models/{model_id}").json()["inputs"]
    assert [(each["name"], each["datatype"], each["shape"]) for each in tensors] == [
        ("kind", "INT64", [-1]),
        ("measures", "FP32", [-1, 4]),
    ]
    # A category that the embedding has no row for.
    missing = client.post(f"/predict/{model_id}", json={"input": {"kind": 10, "measures": [1, 2, 3, 4]}})
    assert missing.status_code == 422, missing.text


@pytest.mark.parametrize("name", ["layers.pt2", "floors.pt2", "dynamic.pt2"])
def test_small_networks_are_answered_by_kernels(client: httpx.Client, name: str) -> None:
    model_id = served(client, name)
    (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
    assert version["engine"] == "numpy", version["acceleration"]
    assert "The original was dropped" in version["acceleration"]["detail"]
    if name != "layers.pt2":
        return
    found = client.post(f"/predict/{model_id}", json={"inputs": NETWORKS["rows"] * 30}).raise_for_status()
    for given, wanted in zip(found.json()["predictions"], NETWORKS["layers"] * 30, strict=True):
        assert given == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("name", ["state_dict.pt", "whole.pt", "legacy.pt", "weights.safetensors"])
def test_weights_alone_are_refused_with_what_to_do(client: httpx.Client, name: str) -> None:
    response = upload(client, name)
    assert (response.status_code, response.json()["reason"]) == (422, "UnsupportedFormat")
    assert 'torch.export.save(program, "model.pt2")' in response.json()["detail"]
