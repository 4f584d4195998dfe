"""Hostile files of the formats that run in environments, in pods: refused with the reason, or held by the
sandbox; and the model beside them goes on.
"""

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modelport_formats.ensembles import MANIFEST as OF_ENSEMBLE
from modelport_formats.ensembles.manifest import EnsembleMember, Manifest
from modelport_formats.frameworks.folder_files import MARKS
from modelport_formats.own_code import MANIFEST as OF_OWN_CODE
from modelport_formats.signatures import Format

from tests.cluster.cluster import Cluster
from tests.e2e import artifact_server
from tests.e2e.accounts import Person, register, save
from tests.e2e.artifact_server import File
from tests.e2e.environments import load_environment
from tests.runtime.integration.hostile.harness import Runs
from tests.support.hostile_code import ATTEMPTS, FILES, module
from tests.support.models import iris_logistic
from tests.support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.timeout(1200)]

FIXTURES = Path(__file__).parents[2] / "fixtures"
# What a container has: files that it may not read, and its own server process as the neighbor.
PLACES = {
    "FOLDER": "/modelport/artifact",
    "SECRET": "/etc/hostname",
    "TCP": 8080,
    "UDP": 53,
    "UNIX": "/modelport/run/hostile.sock",
    "DATAGRAM": "/modelport/run/hostile.sock",
    "ABSTRACT": "\0hostile",
    "SEGMENT": 0,
    "NEIGHBOR": 1,
}
READS_A_SECRET = pickle.dumps(Runs(exec, "raise ValueError(open('/etc/passwd').read())"))
ROW = [5.1, 3.5, 1.4, 0.2]


@pytest.fixture(scope="module")
def person(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    registered = register(platform.url, tmp_path_factory.mktemp("home"))
    yield registered
    registered.delete_models()


@pytest.fixture(scope="module")
def neighbor(person: Person, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a model that is somebody's good one."""
    path = save(iris_logistic().model, tmp_path_factory.mktemp("good") / "good.joblib")
    return str(person.upload(path)["id"])


@pytest.fixture(autouse=True)
def goes_on(person: Person, neighbor: str) -> Iterator[None]:
    yield
    assert person.predict(neighbor, ROW).raise_for_status().json()["prediction"] == "setosa"
    (version,) = person.model(neighbor)["versions"]
    assert (version["status"], version["restarts"]) == ("ready", 0)


@pytest.mark.parametrize("environment", FILES)
def test_the_kernel_refuses_what_no_model_needs(
    pytestconfig: pytest.Config,
    cluster: Cluster,
    platform: Any,
    person: Person,
    tmp_path: Path,
    environment: str,
) -> None:
    load_environment(pytestconfig, cluster, environment)
    code = tmp_path / "prep.py"
    code.write_text(module(PLACES))
    path = FIXTURES / FILES[environment][1]
    model = person.upload(path, "--code", str(code), "--environment", environment)
    (version,) = person.model(model["id"])["versions"]
    # What it tried and did without is no reason not to serve the model beside it.
    assert (version["status"], version["sandbox"]["level"]) == ("ready", 2)
    log = platform.models.run("logs", f"deployment/{model['id']}-v1")
    line = next(line for line in log.splitlines() if line.startswith("OUTCOMES "))
    outcomes = json.loads(line.removeprefix("OUTCOMES "))
    # OSError: the file system is read-only, which the kernel says before it asks the sandbox.
    refused = ("PermissionError", "OSError")
    assert {name: found for name, found in outcomes.items() if found not in refused} == {}
    assert len(outcomes) == len(ATTEMPTS) > 50
    person.cli("delete", model["id"], "--yes")


def _with_member(file: str, name: str, content: bytes) -> bytes:
    """Return the zip with another content of this member."""
    made = io.BytesIO()
    with zipfile.ZipFile(FIXTURES / file) as old, zipfile.ZipFile(made, "w") as new:
        for each in old.namelist():
            new.writestr(each, content if each == name else old.read(each))
    return made.getvalue()


def _mlflow_with_pickle(content: bytes) -> bytes:
    made = io.BytesIO()
    with (
        tarfile.open(FIXTURES / "mlflow" / "pickle.tar.gz") as old,
        tarfile.open(fileobj=made, mode="w:gz") as new,
    ):
        for each in old.getmembers():
            file = old.extractfile(each)
            data = file.read() if file else b""
            if each.name.endswith(".pkl"):
                data, each.size = content, len(content)
            new.addfile(each, io.BytesIO(data) if file else None)
    return made.getvalue()


def _naming(module: str, name: str, content: bytes) -> bytes:
    """Return the pickle with a class of a library named before all, by which its environment is chosen."""
    return b"\x80\x04c" + f"{module}\n{name}\n".encode() + pickle.POP + content.removeprefix(b"\x80\x04")


def _of_river(content: bytes) -> bytes:
    return _naming("river.linear_model", "LinearRegression", content)


# Name → environment, the file, `model_type`, the reasons that it may end with, and words of the message.
Upload = tuple[str | None, Callable[[], bytes], str, set[str], str]
UPLOADS: dict[str, Upload] = {
    "lambda.keras": (
        "tensorflow-2.21",
        (FIXTURES / "tensorflow" / "lambda.keras").read_bytes,
        "tensorflow",
        {"UnsupportedFormat"},
        "Lambda layer",
    ),
    "own_class.keras": (
        "tensorflow-2.21",
        (FIXTURES / "tensorflow" / "own_class.keras").read_bytes,
        "tensorflow",
        {"UnsupportedFormat"},
        "a class or function of your own",
    ),
    "deep.keras": (
        "tensorflow-2.21",
        lambda: _with_member("tensorflow/flowers.keras", "config.json", b'{"a":' * 100_000),
        "tensorflow",
        {"CorruptArtifact"},
        "",
    ),
    "river.pickle": (
        "river-0.26",
        lambda: _of_river(READS_A_SECRET),
        "river",
        {"SandboxViolation"},
        "'passwd'",
    ),
    "statsmodels.pickle": (
        "statsmodels-0.15",
        lambda: _naming("statsmodels.regression.linear_model", "RegressionResultsWrapper", READS_A_SECRET),
        "statsmodels",
        {"SandboxViolation"},
        "'passwd'",
    ),
    "catboost.pickle": (
        "catboost-1.2",
        lambda: _naming("catboost.core", "CatBoostClassifier", READS_A_SECRET),
        "catboost",
        {"SandboxViolation"},
        "'passwd'",
    ),
    "predictor.zip": (
        "autogluon-1.6",
        lambda: _with_member("autogluon/flowers.zip", "predictor.pkl", READS_A_SECRET),
        "autogluon",
        {"SandboxViolation"},
        "'passwd'",
    ),
    "mlflow.tar.gz": (None, lambda: _mlflow_with_pickle(READS_A_SECRET), "", {"SandboxViolation"}, ""),
    "large.pickle": (
        "river-0.26",
        lambda: _of_river(pickle.dumps(Runs(np.ones, (1 << 20, 1 << 12)))),
        "river",
        {"OutOfMemory"},
        "",
    ),
    "deep.pickle": (
        "river-0.26",
        lambda: _of_river(b"(" * 500_000 + b"t" * 500_000 + b"."),
        "river",
        {"NotAModel", "LoadFailed", "CorruptArtifact"},
        "",
    ),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_a_hostile_file_ends_with_its_reason(
    pytestconfig: pytest.Config, cluster: Cluster, person: Person, name: str
) -> None:
    environment, make, framework, reasons, words = UPLOADS[name]
    if environment:
        load_environment(pytestconfig, cluster, environment)
    data = {"name": name} | ({"model_type": framework} if framework else {})
    with person.http() as client:
        sent = client.post("/api/v1/models/upload", files={"file": (name, make())}, data=data)
        answer = sent.json()
        if sent.status_code == 202:
            eventually(lambda: person.model(answer["id"])["status"] == "failed", seconds=240)
            answer = person.model(answer["id"])
    assert answer["reason"] in reasons, answer
    assert words in answer.get("message", answer.get("detail")), answer


def _zip(*members: tuple[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return written.getvalue()


def _tar(name: str, kind: bytes) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    return written.getvalue()


def _huge_tar() -> bytes:
    """A gibibyte of zeros, in 300 KiB."""
    info = tarfile.TarInfo("model/saved_model.pb")
    info.size = 1 << 30
    return gzip.compress(info.tobuf() + bytes(1 << 26))


_OUT = ("../../../modelport/run/out", b"x")
_DEEP = ("/".join("d" * 40), b"x")
_FILE = "0" * 64
_JOINED = Manifest("vote", (EnsembleMember("a", "v1", "sklearn", _FILE),)).to_json()
_CODE = json.dumps({"entry": "model.py", "model": None}).encode()
_LEADS_OUT = "which leads out of its folder"
_TOO_DEEP = "a name of more than 32 folders"


@dataclass(frozen=True)
class Archive:
    """`words`: of the message that it ends with."""

    framework: str
    environment: str | None
    content: bytes
    words: str


# No upload brings such a file: they are named by MLModels.
ARCHIVES = {
    "escape-code": Archive("python", None, _zip((OF_OWN_CODE, _CODE), ("model.py", b""), _OUT), _LEADS_OUT),
    "deep-code": Archive("python", None, _zip((OF_OWN_CODE, _CODE), ("model.py", b""), _DEEP), _TOO_DEEP),
    "escape-ensemble": Archive(
        "ensemble", None, _zip((OF_ENSEMBLE, _JOINED), (_FILE, b"x"), _OUT), _LEADS_OUT
    ),
    # The init container, which unpacks it, leaves the reason to the runtime, which sees that it did not.
    "escape-predictor": Archive(
        "autogluon",
        "autogluon-1.6",
        _zip((MARKS[Format.AUTOGLUON], b""), ("predictor.pkl", b""), _OUT),
        "was not unpacked",
    ),
    "escape-graph": Archive(
        "tensorflow", "tensorflow-2.21", _zip(("model/saved_model.pb", b"x"), _OUT), _LEADS_OUT
    ),
    "deep-graph": Archive(
        "tensorflow", "tensorflow-2.21", _zip(("model/saved_model.pb", b"x"), _DEEP), _TOO_DEEP
    ),
    "link-graph": Archive(
        "tensorflow", "tensorflow-2.21", _tar("model/saved_model.pb", tarfile.SYMTYPE), "a link or a device"
    ),
    "huge-graph": Archive("tensorflow", "tensorflow-2.21", _huge_tar(), "unpacks to more than 64 MiB"),
}


def test_archives_that_no_upload_lets_through_are_refused_in_the_pod(
    pytestconfig: pytest.Config, cluster: Cluster, platform: Any
) -> None:
    for environment in {each.environment for each in ARCHIVES.values() if each.environment}:
        load_environment(pytestconfig, cluster, environment)
    contents = {name: each.content for name, each in ARCHIVES.items()}
    with artifact_server.serving_all(platform, contents) as files:
        for name, each in ARCHIVES.items():
            platform.models.run("apply", "-f", "-", input=_mlmodel(name, files[name], each))
        try:
            found = {name: _failed(platform, name) for name in ARCHIVES}
        finally:
            platform.models.run("delete", "mlmodel", *ARCHIVES, "--wait=false")
    for name, each in ARCHIVES.items():
        assert found[name]["reason"] in {"CorruptArtifact", "UnsupportedFormat"}, found[name]
        assert each.words in found[name]["message"], found[name]
        assert found[name]["sandbox"]["level"] == 2, found[name]


def _mlmodel(name: str, file: File, archive: Archive) -> Mapping[str, Any]:
    made = artifact_server.mlmodel(name, file)
    (version,) = made["spec"]["versions"]
    version["framework"] = archive.framework
    if archive.environment:
        version["environment"] = archive.environment
    return made


def _failed(platform: Any, name: str) -> dict[str, Any]:
    def failed() -> dict[str, Any] | None:
        versions = platform.models.json("get", "mlmodel", name).get("status", {}).get("versions", [])
        return next((each for each in versions if each.get("failed")), None)

    found: dict[str, Any] = eventually(failed, seconds=240)
    return found
