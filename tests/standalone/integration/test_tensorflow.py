"""Keras files and SavedModels, served by TensorFlow in its own environment as the library itself answered."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.platform_process import PlatformProcess, settled, wait_until_ready

pytestmark = [pytest.mark.slow, pytest.mark.nightly, pytest.mark.timeout(900)]
SAVED = Path(__file__).parents[2] / "fixtures" / "tensorflow"
KNOWN: dict[str, Any] = json.loads((SAVED / "answers.json").read_text(encoding="utf-8"))
NETWORKS: dict[str, Any] = json.loads((SAVED / "networks.json").read_text(encoding="utf-8"))
ENVIRONMENT = "tensorflow-2.21"


@pytest.fixture(autouse=True, scope="module")
def made() -> None:
    """By this process, whose uv knows this machine's index; the platform's own has another home."""
    EnvironmentStore(default_folder()).prepare(find(ENVIRONMENT))


def upload(client: httpx.Client, name: str, content: bytes) -> dict[str, Any]:
    response = client.post("/api/v1/models/upload", files={"file": content}, data={"name": name})
    found: dict[str, Any] = response.raise_for_status().json()
    return found


def serve(client: httpx.Client, name: str) -> tuple[str, dict[str, Any]]:
    """Return the model's id and its version, once it is ready."""
    model_id = upload(client, name.partition(".")[0], (SAVED / name).read_bytes())["id"]
    wait_until_ready(client, model_id)
    (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
    return model_id, version


def predict(client: httpx.Client, model_id: str, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.post(f"/predict/{model_id}", json=body).raise_for_status().json()
    return found


def test_keras_classifiers_give_classes_and_probabilities(platform: PlatformProcess) -> None:
    known = KNOWN["flowers"]
    with platform.register_user() as client:
        model_id, version = serve(client, "flowers.keras")
        assert (version["framework"], version["environment"]) == ("tensorflow", ENVIRONMENT)
        assert version["signature"]["task"] == "classifier"
        assert version["sandbox"]["level"] == 2
        assert version["libraries"]["found"] == {"keras": "3.15.1"}
        given = predict(client, model_id, inputs=known["rows"], **{"return": ["prediction", "probabilities"]})
        assert [list(row) for row in given["probabilities"]] == [["0", "1", "2"]] * len(known["rows"])
        found = [list(row.values()) for row in given["probabilities"]]
        assert found == [pytest.approx(row, rel=1e-6) for row in known["answers"]]
        assert given["predictions"] == [row.index(max(row)) for row in known["answers"]]
        refuses(client, model_id, [1.0], "has 1 value, but the model takes 4")
        refuses(client, model_id, [1.0, 2.0, "three", 4.0], "must be a number")
        refuses(client, model_id, [1.0, 2.0, 1e300, 4.0], "must fit into float32")
        refuses(client, model_id, [1.0, None, 3.0, 4.0], "must not be null")
        refuses(client, model_id, [[1.0], 2.0, 3.0, 4.0], "must be a number, not a list")


@pytest.mark.parametrize("name", ["layers.keras", "flowers.keras", "linear.h5"])
def test_small_networks_are_answered_by_kernels(platform: PlatformProcess, name: str) -> None:
    with platform.register_user() as client:
        model_id, version = serve(client, name)
        assert version["engine"] == "numpy", version["acceleration"]
        assert "The original was dropped" in version["acceleration"]["detail"]
        if name != "layers.keras":
            return
        known = NETWORKS["layers"]
        found = predict(client, model_id, inputs=known["rows"])["predictions"]
        for key, answers in known["answers"].items():
            assert [each[key] for each in found] == [pytest.approx(row, rel=1e-6) for row in answers]
        # TensorFlow's process has ended: who is asked for its words is not.
        beyond = client.post(f"/predict/{model_id}", json={"input": {**known["rows"][0], "kind": 5}})
        assert (beyond.status_code, beyond.json()["errors"][0]["field"]) == (422, "input.kind")


def refuses(client: httpx.Client, model_id: str, row: Any, words: str) -> None:
    refused = client.post(f"/predict/{model_id}", json={"input": row})
    assert refused.status_code == 422, refused.text
    assert words in refused.text


def test_several_inputs_and_outputs_go_by_name_as_rows_and_as_tensors(platform: PlatformProcess) -> None:
    known = KNOWN["prices"]
    with platform.register_user() as client:
        model_id, version = serve(client, "prices.keras")
        assert [each["shape"] for each in version["signature"]["columns"]] == [None, [3, 3, 1]]
        given = predict(client, model_id, inputs=known["rows"])["predictions"]
        for name in ("price", "risk"):
            assert [row[name] for row in given] == [
                pytest.approx(row, rel=1e-6) for row in known["answers"][name]
            ]
        pictures = [row["picture"] for row in known["rows"]]
        tensors = [
            {"name": "age", "shape": [3], "datatype": "FP32", "data": [row["age"] for row in known["rows"]]},
            {"name": "picture", "shape": [3, 3, 3, 1], "datatype": "FP32", "data": pictures},
        ]
        body = {"inputs": tensors, "outputs": [{"name": "price"}]}
        inferred = client.post(f"/v2/models/{model_id}/infer", json=body).raise_for_status().json()
        (price,) = inferred["outputs"]
        assert (price["name"], price["datatype"], price["shape"]) == ("price", "FP32", [3, 1])
        assert price["data"] == pytest.approx([row[0] for row in known["answers"]["price"]], rel=1e-6)


def test_older_files_and_saved_models_are_served_too(platform: PlatformProcess) -> None:
    with platform.register_user() as client:
        known = KNOWN["linear"]
        model_id, _ = serve(client, "linear.h5")
        given = predict(client, model_id, inputs=known["rows"])["predictions"]
        assert given == pytest.approx([row[0] for row in known["answers"]], rel=1e-6)
        for name in ("counter.zip", "counter.tar.gz"):
            known = KNOWN["counter"]
            model_id, version = serve(client, name)
            assert [each["dtype"] for each in version["signature"]["columns"]] == ["int64", "float32"]
            given = predict(client, model_id, inputs=known["rows"])["predictions"]
            assert [row["twice"] for row in given] == known["answers"]["twice"]
            assert [row["value"] for row in given] == [
                pytest.approx(row) for row in known["answers"]["value"]
            ]
        refuses(client, model_id, {"floors": 1.5, "place": [1, 2]}, "must be a whole number, not a fraction")
        refuses(client, model_id, {"floors": 1, "place": [1, 2, 3]}, "place")


@pytest.mark.parametrize(
    ("name", "words"),
    [("lambda.keras", "Lambda layer"), ("own_class.keras", "Doubled, a class or function of your own")],
)
def test_code_is_not_run_and_what_to_do_is_said(platform: PlatformProcess, name: str, words: str) -> None:
    with platform.register_user() as client:
        model_id = upload(client, "code", (SAVED / name).read_bytes())["id"]
        failed = settled(client, f"/api/v1/models/{model_id}")
        assert (failed["status"], failed["reason"]) == ("failed", "UnsupportedFormat"), failed
        assert words in failed["message"]
        assert "model.export('folder')" in failed["message"]


def test_a_model_that_is_none_fails_with_the_reason(platform: PlatformProcess) -> None:
    damaged = io.BytesIO()
    with zipfile.ZipFile(SAVED / "counter.zip") as whole, zipfile.ZipFile(damaged, "w") as archive:
        for info in whole.infolist():
            archive.writestr(info.filename, b"" if "variables.data" in info.filename else whole.read(info))
    with platform.register_user() as client:
        model_id = upload(client, "damaged", damaged.getvalue())["id"]
        failed = settled(client, f"/api/v1/models/{model_id}")
        assert failed["status"] == "failed", failed
        assert failed["reason"] in {"CorruptArtifact", "LoadFailed"}, failed
        refused = client.post(
            "/api/v1/models/upload",
            files={"file": (SAVED / "linear.weights.h5").read_bytes()},
            data={"name": "weights"},
        )
        assert (refused.status_code, refused.json()["reason"]) == (422, "UnsupportedFormat")
        assert "weights alone" in refused.text
