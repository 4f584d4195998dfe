"""Of an MLflow folder in one file the model is served as if uploaded alone; what is not is refused."""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from modelport_control_api.registry.environments import needed_by
from modelport_control_api.sniff.archived import pieces_of
from modelport_control_api.sniff.folders.examples import row_of
from modelport_control_api.sniff.folders.finding import find

from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at

SAVED = Path(__file__).parents[3] / "fixtures" / "mlflow"
KNOWN: dict[str, Any] = json.loads((SAVED / "answers.json").read_text(encoding="utf-8"))
MLMODEL = "flavors:\n  sklearn:\n    pickled_model: model.skops\n    code: null\n"


@pytest.mark.parametrize(
    ("name", "framework", "file"),
    [
        ("skops.zip", "sklearn", "model.skops"),
        ("pickle.tar.gz", "sklearn", "model/model.pkl"),
        ("xgboost.zip", "xgboost", "model.ubj"),
        ("onnx.tar", "onnx", "model/model.onnx"),
    ],
)
async def test_the_model_of_a_folder_is_stored_with_a_row_of_its_example(
    ann: Account, name: str, framework: str, file: str
) -> None:
    response = await ann.upload((SAVED / name).read_bytes(), sample="")
    made = response.json()
    assert response.status_code == 202, made
    (version,) = made["versions"]
    alone = b"".join(pieces_of(SAVED / name, file))
    assert (made["framework"], version["sha256"]) == (framework, hashlib.sha256(alone).hexdigest())
    assert version["sample"] == {"input": KNOWN[name]["rows"][0]}
    url = f"/api/v1/models/{made['id']}/versions/v1/artifact"
    assert (await ann.http.get(url)).content == alone


async def test_a_sample_that_is_sent_counts_and_a_version_may_be_a_folder(ann: Account) -> None:
    row = {"sepal length": 1, "sepal_width": 2, "petal_length": 3, "color": "blue"}
    content = (SAVED / "skops.zip").read_bytes()
    made = (await ann.upload(content, sample=json.dumps(row))).json()
    assert made["versions"][0]["sample"] == {"input": row}
    version = await ann.upload_version(made["id"], content)
    assert (version.status_code, version.json()["sample"]["input"]["color"]) == (202, "red")


async def test_modules_of_a_folder_go_along_as_code_of_the_models_own(ann: Account) -> None:
    """A tar's bytes come once, in their order."""
    content = (SAVED / "code.tar.gz").read_bytes()
    made = (await ann.upload(content, sample="")).json()
    assert made["framework"] == "sklearn", made
    url = f"/api/v1/models/{made['id']}/versions/v1/artifact"
    with zipfile.ZipFile(io.BytesIO((await ann.http.get(url)).content)) as archive:
        assert set(archive.namelist()) == {
            *(".modelport.json", "flowers/__init__.py", "flowers/steps.py", "model.pkl"),
        }
        assert json.loads(archive.read(".modelport.json")) == {"entry": None, "model": "model.pkl"}
        assert archive.read("model.pkl") == b"".join(pieces_of(SAVED / "code.tar.gz", "model/model.pkl"))


async def test_a_class_model_among_the_modules_is_no_model_of_the_platforms(ann: Account) -> None:
    model = b"".join(pieces_of(SAVED / "pickle.tar.gz", "model/model.pkl"))
    code = "class Model:\n    def predict(self, rows): return rows\n"
    mlmodel = "flavors: {sklearn: {pickled_model: model.pkl, code: code}}"
    files: dict[str, str | bytes] = {"MLmodel": mlmodel, "model.pkl": model, "code/model.py": code}
    made = (await ann.upload(packed(files), sample="")).json()
    assert made["framework"] == "sklearn", made


async def test_code_beside_a_folder_that_brings_its_own_is_refused(ann: Account) -> None:
    files = {
        "file": ("code.tar.gz", (SAVED / "code.tar.gz").read_bytes()),
        "code": ("prep.py", b"def preprocess(rows):\n    return rows\n"),
    }
    refused = await ann.http.post("/api/v1/models/upload", files=files, data={"name": "x"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "code"), refused.json()


async def test_a_graph_of_tensorflow_goes_on_as_its_own_folder(ann: Account) -> None:
    made = (await ann.upload((SAVED / "graph.zip").read_bytes(), sample="")).json()
    assert (made["framework"], made["versions"][0]["environment"]) == ("tensorflow", "tensorflow-2.21"), made
    url = f"/api/v1/models/{made['id']}/versions/v1/artifact"
    with zipfile.ZipFile(io.BytesIO((await ann.http.get(url)).content)) as archive:
        assert {"saved_model.pb", "variables/variables.index"} <= set(archive.namelist())


def test_the_release_that_a_folder_names_counts_where_the_file_names_none(tmp_path: Path) -> None:
    hub = SAVED.parent / "model_folders" / "hub_skops.zip"
    file = tmp_path / "model"
    file.write_bytes(b"".join(pieces_of(hub, "model.pkl")).replace(b"_sklearn_version", b"_sklearn_nothing"))
    assert needed_by(file, "sklearn", choose_by_file=True) is None
    assert needed_by(file, "sklearn", choose_by_file=True, told={"scikit-learn": "1.2.2"}) == "sklearn-1.2"
    mlmodel = "flavors: {sklearn: {pickled_model: model.pkl, sklearn_version: 1.2.2}}"
    archive = tmp_path / "folder.zip"
    archive.write_bytes(packed({"MLmodel": mlmodel, "model.pkl": file.read_bytes()}))
    found = find(archive)
    assert found is not None
    assert found.versions == {"scikit-learn": "1.2.2"}


def zipped(**files: str | bytes) -> bytes:
    return packed({name.replace("__", "/"): content for name, content in files.items()})


def packed(files: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_link() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        text = MLMODEL.encode()
        info = tarfile.TarInfo("m/MLmodel")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
        link = tarfile.TarInfo("m/model.skops")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return file.getvalue()


def of_flavor(name: str, **said: str) -> bytes:
    return zipped(MLmodel=json.dumps({"flavors": {name: said, "python_function": {"loader_module": "x"}}}))


UNSUPPORTED, CORRUPT = "UnsupportedFormat", "CorruptArtifact"
Bad = tuple[Callable[[], bytes], str, str]
BAD: dict[str, Bad] = {
    "no MLmodel": (lambda: zipped(model__conda="x"), UNSUPPORTED, "zip archive"),
    "an MLmodel too deep": (lambda: zipped(a__b__MLmodel=MLMODEL), UNSUPPORTED, "zip archive"),
    "two models": (
        lambda: zipped(a__MLmodel=MLMODEL, b__MLmodel=MLMODEL),
        UNSUPPORTED,
        "2 MLflow models (a/MLmodel, b/MLmodel)",
    ),
    "a path escape": (
        lambda: packed({"MLmodel": MLMODEL, "../model.skops": b"x"}),
        UNSUPPORTED,
        "leads out of its folder",
    ),
    "a model named outside": (
        lambda: zipped(MLmodel=MLMODEL.replace("model.skops", "/etc/passwd")),
        CORRUPT,
        "'/etc/passwd', which the archive does not hold",
    ),
    "no YAML": (lambda: zipped(MLmodel="flavors: [\n"), CORRUPT, "is not YAML: line 2"),
    "no text": (lambda: zipped(MLmodel=b"\x00\xff\x00"), CORRUPT, "is not YAML"),
    "no flavors": (lambda: zipped(MLmodel="- 1\n"), CORRUPT, "names no flavors"),
    "YAML of many parts": (lambda: zipped(MLmodel="- 1\n" * 3000), CORRUPT, "more than 2000 entries"),
    "YAML of great depth": (lambda: zipped(MLmodel="[" * 1900), CORRUPT, "is not YAML"),
    "a long MLmodel": (
        lambda: zipped(MLmodel="#" * 600_000),
        UNSUPPORTED,
        "longer than any that MLflow writes",
    ),
    "another flavor": (lambda: of_flavor("spark"), UNSUPPORTED, "of the flavor spark, which is not served"),
    "a Python model": (
        (SAVED / "own_code.zip").read_bytes,
        UNSUPPORTED,
        "loaded by mlflow.pyfunc.model",
    ),
    "no file named": (lambda: of_flavor("xgboost"), CORRUPT, "does not say where the xgboost model is"),
    "an empty model": (lambda: packed({"MLmodel": MLMODEL, "model.skops": b""}), CORRUPT, "empty"),
    "a link": (with_link, UNSUPPORTED, "a link or a device"),
    "a bomb": (
        lambda: packed({"MLmodel": MLMODEL, "model.skops": bytes(70 << 20)}),
        UNSUPPORTED,
        "unpacks to more than",
    ),
    "a model of another kind": (
        lambda: packed({"MLmodel": MLMODEL, "model.skops": b"hello, no model"}),
        UNSUPPORTED,
        "no model file that Modelport knows",
    ),
}


async def test_what_cannot_be_served_is_refused_and_leaves_nothing(platform: Platform, ann: Account) -> None:
    for name, (make, reason, said) in BAD.items():
        response = await ann.upload(make())
        found = response.json()
        assert (name, response.status_code, found.get("reason")) == (name, 422, reason), found
        assert said in found["detail"], name
    assert (platform.stored(), platform.incoming()) == ([], [])
    assert (await ann.http.get("/api/v1/models")).json()["items"] == []


async def test_a_model_that_unpacks_to_more_than_an_upload_may_have_is_refused(
    tmp_path: Path, sqlite_url: str
) -> None:
    settings = settings_at(tmp_path, sqlite_url, max_upload_bytes=50_000)
    async with running_platform(settings, tmp_path) as small:
        ann = await small.account("ann")
        refused = await ann.upload((SAVED / "skops.zip").read_bytes())
        assert (refused.status_code, refused.json()["reason"]) == (413, "TooLarge")
        assert (small.stored(), small.incoming()) == ([], [])


@pytest.mark.parametrize(
    ("example", "row"),
    [
        ({"dataframe_split": {"columns": ["a", "b"], "data": [[1, None], [3, 4]]}}, {"a": 1, "b": None}),
        ({"columns": [0, 1], "data": [[1, 2]]}, [1, 2]),
        ({"data": [[1, 2]]}, [1, 2]),
        ({"dataframe_records": [{"a": 1}]}, {"a": 1}),
        ({"inputs": [[1.5, 2]]}, [1.5, 2]),
        ({"inputs": {"x": [[1, 2]], "y": ["t"]}}, {"x": [1, 2], "y": "t"}),
        (["a text", "another"], "a text"),
        ({"columns": ["a"], "data": [[1, 2]]}, None),
        ({"columns": [], "data": []}, None),
        ({"a": 1}, None),
        ([1, 2], None),
        ("a text", None),
        (7, None),
    ],
)
def test_the_first_row_of_an_example(example: Any, row: Any) -> None:
    assert row_of(json.dumps(example).encode()) == row


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_an_example_that_cannot_be_read_is_none(content: bytes) -> None:
    assert row_of(content) is None


@pytest.mark.parametrize("example", ['{"inputs": [[NaN]]}', '{"inputs": [["' + "x" * 70_000 + '"]]}'])
async def test_an_example_that_could_not_be_sent_is_left_out(ann: Account, example: str) -> None:
    model = b"".join(pieces_of(SAVED / "xgboost.zip", "model.ubj"))
    mlmodel = "flavors: {xgboost: {data: model.xgb}}"
    content = packed({"m/MLmodel": mlmodel, "m/model.xgb": model, "m/input_example.json": example})
    made = (await ann.upload(content)).json()
    assert made["versions"][0]["sample"] is None


def test_the_file_may_lie_in_the_folder_that_is_named(tmp_path: Path) -> None:
    """As Keras' and PyTorch's do, beside files that say how they were saved."""
    path = tmp_path / "upload"
    mlmodel = json.dumps({"flavors": {"pytorch": {"model_data": "data", "code": None}}})
    path.write_bytes(packed({"MLmodel": mlmodel, "data/pickle_module_info.txt": "x", "data/model.pt2": "y"}))
    found = find(path)
    assert found is not None
    assert (found.kind, found.model, found.row) == ("MLflow's, flavor pytorch", "data/model.pt2", None)


async def test_statsmodels_flavor_is_a_pickle_and_runs_where_its_release_does(ann: Account) -> None:
    content = (SAVED.parent / "statsmodels" / "old" / "glm_binomial.joblib").read_bytes()
    mlmodel = json.dumps({"flavors": {"statsmodels": {"data": "model.statsmodels", "code": None}}})
    folder = io.BytesIO()
    with zipfile.ZipFile(folder, "w") as archive:
        archive.writestr("MLmodel", mlmodel)
        archive.writestr("model.statsmodels", content)
    made = (await ann.upload(folder.getvalue(), sample="")).json()
    (version,) = made["versions"]
    assert (version["framework"], version["environment"]) == ("statsmodels", "statsmodels-0.14")
    assert version["sha256"] == hashlib.sha256(content).hexdigest()
