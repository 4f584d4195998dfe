"""Folders of MLServer, of the Hugging Face Hub and of a single file: the model in them goes on alone."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from modelport_control_api.sniff.archived import pieces_of

from tests.control_api.unit.models.platform import Account, Platform
from tests.control_api.unit.models.test_mlflow_folders import packed

SAVED = Path(__file__).parents[3] / "fixtures" / "model_folders"
SETTINGS, CONFIG = "model-settings.json", "config.json"
MODEL = b"".join(pieces_of(SAVED / "mlserver_sklearn.zip", "model.joblib"))
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 4\n"


@pytest.mark.parametrize(
    ("name", "framework", "file", "row"),
    [
        (
            "mlserver_sklearn.zip",
            "sklearn",
            "model.joblib",
            {"sepal_length": 0, "sepal_width": 0, "petal_length": 0, "petal_width": 0},
        ),
        ("mlserver_xgboost.tar.gz", "xgboost", "petals/petals.json", None),
        (
            "hub_skops.zip",
            "sklearn",
            "model.pkl",
            {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2},
        ),
    ],
)
async def test_the_model_of_a_folder_is_stored_with_a_row_that_it_names(
    ann: Account, name: str, framework: str, file: str, row: Any
) -> None:
    response = await ann.upload((SAVED / name).read_bytes(), sample="")
    made = response.json()
    assert response.status_code == 202, made
    (version,) = made["versions"]
    alone = b"".join(pieces_of(SAVED / name, file))
    assert (made["framework"], version["sha256"]) == (framework, hashlib.sha256(alone).hexdigest())
    made_up = {"made_up": True} if name.startswith("mlserver") else {}
    assert version["sample"] == (None if row is None else {"input": row, **made_up})


def mlserver(implementation: Any = "mlserver_sklearn.SKLearnModel", **others: Any) -> str:
    return json.dumps({"name": "iris", "implementation": implementation, **others})


def at(uri: Any) -> dict[str, str | bytes]:
    return {SETTINGS: mlserver(parameters={"uri": uri}), "model.joblib": MODEL}


FOUND: dict[str, dict[str, str | bytes]] = {
    "no uri": {SETTINGS: mlserver(), "model.joblib": MODEL},
    "a file by its name": at("./model.joblib"),
    "a URL of a file": at("file:model.joblib"),
    "a folder": {SETTINGS: mlserver(parameters={"uri": "./v1"}), "v1/model.pkl": MODEL},
    "below a folder": {f"iris/{SETTINGS}": mlserver(parameters={"uri": "."}), "iris/model.pickle": MODEL},
    "MLflow's in it": {
        SETTINGS: mlserver("mlserver_mlflow.MLflowRuntime", parameters={"uri": "./saved"}),
        "saved/MLmodel": "flavors: {sklearn: {pickled_model: model.pkl}}",
        "saved/model.pkl": MODEL,
    },
    "KServe's": {"model.joblib": MODEL},
    "Triton's": {"iris/config.pbtxt": "backend: x", "iris/1/model.pkl": MODEL},
    "with a card": {"hub/model.skl.pkl": MODEL, "hub/README.md": "x", "hub/.gitattributes": "x"},
    "a config of something else": {"config.json": '{"a": 1}', "model.joblib": MODEL},
}


async def test_where_the_model_may_lie(ann: Account) -> None:
    for name, files in FOUND.items():
        made = (await ann.upload(packed(files), sample="")).json()
        assert "versions" in made, (name, made)
        assert made["versions"][0]["sha256"] == hashlib.sha256(MODEL).hexdigest(), name


TEXTS = SAVED.parent / "transformers"
PARTS = {
    "config.json": b'{"architectures": ["BertForSequenceClassification"], "model_type": "bert"}',
    "tokenizer.json": b"{}",
    "model.safetensors": b"\x02\0\0\0\0\0\0\0{}",
}


def of_texts(root: str = "", **others: bytes | None) -> dict[str, str | bytes]:
    """Return a folder of Transformers: by `__` in a name stands a dot, and None leaves the file out."""
    files = PARTS | {name.replace("__", "."): content for name, content in others.items()}
    return {f"{root}{name}": content for name, content in files.items() if content is not None}


@pytest.mark.parametrize("name", ["bert.zip", "distilbert.tar.gz"])
async def test_a_folder_of_transformers_is_packed_again_with_what_is_read_alone(
    ann: Account, name: str
) -> None:
    response = await ann.upload((TEXTS / name).read_bytes(), sample="")
    made = response.json()
    assert response.status_code == 202, made
    version = made["versions"][0]
    assert (made["framework"], version["environment"]) == ("transformers", "transformers-5.24")
    back = await ann.http.get(f"/api/v1/models/{made['id']}/versions/v1/artifact")
    assert back.headers["Content-Disposition"].endswith('.zip"')
    with zipfile.ZipFile(io.BytesIO(back.content)) as archive:
        assert archive.namelist()[0] == ".modelport-folder"
        assert set(archive.namelist()[1:]) == {*PARTS, "tokenizer_config.json"}
    again = (await ann.upload(back.content, sample="")).json()
    assert again["versions"][0]["sha256"] == version["sha256"]


async def test_which_files_of_transformers_are_taken(ann: Account) -> None:
    shards = {f"model-0000{n}-of-00002__safetensors": b"x" for n in (1, 2)}
    for files, taken in [
        (of_texts("hub/", README__md=b"x", run__py=b"import os"), {*PARTS}),
        (
            of_texts(model__safetensors=None, **shards, model__safetensors__index__json=b"{}"),
            {
                *("config.json", "tokenizer.json", "model.safetensors.index.json"),
                *("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"),
            },
        ),
    ]:
        made = (await ann.upload(packed(files), sample="")).json()
        assert made.get("framework") == "transformers", made
        url = f"/api/v1/models/{made['id']}/versions/v1/artifact"
        with zipfile.ZipFile(io.BytesIO((await ann.http.get(url)).content)) as archive:
            assert {*archive.namelist()} == {".modelport-folder", *taken}


TABLES = SAVED.parent / "autogluon"
PREDICTOR: dict[str, str | bytes] = {
    **dict.fromkeys(("predictor.pkl", "learner.pkl", "models/trainer.pkl"), b"x"),
    "version.txt": "1.6.3",
}


@pytest.mark.parametrize("name", ["flowers.zip", "sugar.tar.gz"])
async def test_a_folder_of_autogluon_is_packed_again(ann: Account, name: str) -> None:
    response = await ann.upload((TABLES / name).read_bytes(), sample="")
    made = response.json()
    assert response.status_code == 202, made
    assert (made["framework"], made["versions"][0]["environment"]) == ("autogluon", "autogluon-1.6")
    back = await ann.http.get(f"/api/v1/models/{made['id']}/versions/v1/artifact")
    with zipfile.ZipFile(io.BytesIO(back.content)) as archive:
        assert archive.namelist()[0] == ".modelport-predictor"
        assert {"predictor.pkl", "learner.pkl", "models/trainer.pkl"} <= {*archive.namelist()}
    again = (await ann.upload(back.content, sample="")).json()
    assert again["versions"][0]["sha256"] == made["versions"][0]["sha256"]


async def test_code_of_ones_own_that_loads_a_predictor_is_code(ann: Account) -> None:
    """The cure for a predictor that is refused."""
    files = {f"predictor/{name}": each for name, each in (PREDICTOR | {"version.txt": "1.1.0"}).items()}
    code = "class Model:\n    def predict(self, rows): return rows\n"
    made = (await ann.upload(packed({"model.py": code, **files}), sample="")).json()
    assert made.get("framework") == "python", made


async def test_training_data_of_autogluon_is_left_out(ann: Account) -> None:
    files = PREDICTOR | {"utils/data/X.pkl": b"x", "models/LightGBM/model.pkl": b"x"}
    made = (await ann.upload(packed({f"tables/{name}": each for name, each in files.items()}))).json()
    url = f"/api/v1/models/{made['id']}/versions/v1/artifact"
    with zipfile.ZipFile(io.BytesIO((await ann.http.get(url)).content)) as archive:
        assert {*archive.namelist()} == {".modelport-predictor", "models/LightGBM/model.pkl", *PREDICTOR}


UNSUPPORTED, CORRUPT = "UnsupportedFormat", "CorruptArtifact"
BAD: dict[str, tuple[Callable[[], dict[str, str | bytes]], str, str]] = {
    "a class of its own": (
        lambda: {SETTINGS: mlserver("models.Mine"), "models.py": "class Mine: pass", "model.joblib": MODEL},
        UNSUPPORTED,
        "class Model:\n    def load(self, folder):",
    ),
    "another runtime": (
        lambda: {SETTINGS: mlserver("mlserver_alibi_explain.AlibiExplainRuntime")},
        UNSUPPORTED,
        "none of the runtimes that are read",
    ),
    "no implementation": (lambda: {SETTINGS: mlserver(7)}, CORRUPT, "names no implementation"),
    "settings of a list": (lambda: {SETTINGS: "[]"}, CORRUPT, "names no implementation"),
    "settings that are no JSON": (lambda: {SETTINGS: "{"}, CORRUPT, f"{SETTINGS} is not JSON"),
    "settings of great depth": (lambda: {SETTINGS: "[" * 100_000}, CORRUPT, "nested too deeply"),
    "a path escape": (lambda: at("../../etc/passwd"), UNSUPPORTED, "lies outside of the folder"),
    "an absolute path": (lambda: at("/mnt/models"), UNSUPPORTED, "lies outside of the folder"),
    "a bucket": (lambda: at("s3://bucket/model"), UNSUPPORTED, "lies outside of the folder"),
    "a uri of a number": (lambda: at(7), UNSUPPORTED, "lies outside of the folder"),
    "a file that is not there": (lambda: at("other.joblib"), CORRUPT, "Pack the folder again"),
    "no MLmodel in it": (
        lambda: {SETTINGS: mlserver("mlserver_mlflow.MLflowRuntime")},
        CORRUPT,
        "holds no MLmodel",
    ),
    "two": (
        lambda: {f"a/{SETTINGS}": mlserver(), f"b/{SETTINGS}": mlserver()},
        UNSUPPORTED,
        "2 MLServer models",
    ),
    "a hub's model that is not there": (
        lambda: {CONFIG: json.dumps({"sklearn": {"model": {"file": "../model.pkl"}}})},
        CORRUPT,
        "'../model.pkl', which the archive does not hold",
    ),
    "a pointer": (lambda: {"model.joblib": POINTER}, UNSUPPORTED, "git lfs pull"),
    "a pointer in a hub": (
        lambda: {CONFIG: json.dumps({"sklearn": {"model": {"file": "m.pkl"}}}), "m.pkl": POINTER},
        UNSUPPORTED,
        "m.pkl is a pointer of Git LFS",
    ),
    "a predictor of another release": (
        lambda: PREDICTOR | {"version.txt": "1.1.0"},
        UNSUPPORTED,
        "saved by 1.1.0",
    ),
    "a predictor of networks": (
        lambda: PREDICTOR | {"models/NeuralNetTorch_BAG_L1/model.pkl": b"x"},
        UNSUPPORTED,
        "holds NeuralNetTorch_BAG_L1",
    ),
    "a predictor without its models": (
        lambda: {name: each for name, each in PREDICTOR.items() if name != "models/trainer.pkl"},
        CORRUPT,
        "holds no models/trainer.pkl",
    ),
    "two files": (
        lambda: {"a.pkl": MODEL, "b.joblib": MODEL},
        UNSUPPORTED,
        "2 model files (a.pkl, b.joblib)",
    ),
    "code beside one": (
        lambda: {"model.joblib": MODEL, "code/inference.py": "def input_fn(): pass"},
        UNSUPPORTED,
        "Python code (code/inference.py)",
    ),
    "a bomb": (lambda: {"model.joblib": bytes(70 << 20)}, UNSUPPORTED, "unpacks to more than"),
    "a name that leads out": (
        lambda: {"model.joblib": MODEL, "../x": b""},
        UNSUPPORTED,
        "leads out of its folder",
    ),
}


async def test_what_cannot_be_served_is_refused_and_leaves_nothing(platform: Platform, ann: Account) -> None:
    for name, (make, reason, said) in BAD.items():
        response = await ann.upload(packed(make()))
        found = response.json()
        assert (name, response.status_code, found.get("reason")) == (name, 422, reason), found
        assert said in found["detail"], (name, found)
    assert (platform.stored(), platform.incoming()) == ([], [])


async def test_a_bare_pointer_is_named(ann: Account) -> None:
    refused = (await ann.upload(POINTER)).json()
    assert refused["reason"] == UNSUPPORTED
    assert "git lfs pull" in refused["detail"]


async def test_the_cure_for_a_class_of_mlserver_is_taken(ann: Account) -> None:
    """Its settings may stay where they are."""
    code = "import joblib\n\nclass Model:\n    def predict(self, rows):\n        return rows\n"
    files = {SETTINGS: mlserver("models.Mine"), "model.py": code, "model.joblib": MODEL}
    made = (await ann.upload(packed(files), sample="")).json()
    assert made["framework"] == "python", made
