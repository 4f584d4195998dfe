"""What `modelport doctor` says of a file, whole: by the checks that it would pass on its way, not loaded."""

import json
import os
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from modelport.cli.output import size_text
from modelport.errors import ModelportError
from modelport_environments.catalogue import find
from modelport_formats.signatures import describe_unknown
from modelport_runtime.core.compatibility.versions import installed
from modelport_standalone import sandbox_check
from modelport_standalone.doctor import examination, modules
from modelport_standalone.doctor.command import doctor
from modelport_standalone.doctor.platform import Platform

from tests.runtime.unit.compatibility.test_other_boosters import LOST
from tests.standalone.unit.doctor.files import FIXTURES, MADE, OTHER_VERSIONS, Named, path_of
from tests.support.control_api import build_control_plane
from tests.support.threaded_server import running_server

SAID = Path(__file__).with_name("said.txt")
MOST_BYTES = 8000


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """One with a whole sandbox and no environment."""
    found: dict[str, Any] = {"sandbox": (2, "Landlock and seccomp")}

    async def check(_folder: Path) -> Any:
        return found["sandbox"]

    monkeypatch.setattr(sandbox_check, "check", check)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MODELPORT_MAX_UPLOAD_BYTES", str(MOST_BYTES))
    return found


def expected() -> dict[str, str]:
    """Each file's output, with the versions that are here filled in."""
    text = SAID.read_text().replace("{formats}", describe_unknown(b"").partition(". ")[2])
    for library in ("scikit-learn", "xgboost"):
        text = text.replace(f"{{{library}}}", str(installed(library)))
    blocks = re.split(r"^=== (.+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(blocks[::2], blocks[1::2], strict=True))


@pytest.mark.parametrize("name", [*MADE, *OTHER_VERSIONS])
def test_what_is_said_of_a_file(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = path_of(name, tmp_path)
    code = doctor([str(path)])
    said = capsys.readouterr().out.replace(f" {size_text(path.stat().st_size)} of", " {size} of")
    assert f"{said}exit code {code}\n\n" == expected()[name]


def test_code_that_goes_along_brings_the_modules_that_a_file_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Protocol 0 names a class of a script, and a function of a module."""
    path, code = tmp_path / "model.pkl", tmp_path / "steps.py"
    path.write_bytes(b"(c__main__\nRatio\ncsteps\nlog\nt.")
    code.write_text("class Ratio: pass\n\ndef log(rows): return rows\n")

    assert doctor([str(path)]) == 1
    assert "--code MODULE.py" in capsys.readouterr().out
    assert doctor([str(path), "--code", str(code)]) == 0
    assert "in a full sandbox only" in capsys.readouterr().out
    assert doctor([str(code)]) == 1
    assert "defines no class Model" in capsys.readouterr().out
    code.write_text("class Model:\n    def predict(self, rows): return rows\n")
    assert doctor([str(code)]) == 0
    said = capsys.readouterr().out
    assert "framework   python" in said
    assert "in a full sandbox only" in said


def test_every_fixture_is_served_but_the_boosters_whose_categories_are_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the tests of the runtime find when they load them."""
    monkeypatch.setattr(modules, "in_python", lambda *_: lambda _module: True)
    files = [path for path in FIXTURES.glob("other_*/*/*") if path.suffix != ".json"]
    platform = Platform(None, 10**8, chooses=True)
    refused = {path for path in files if not examination.examine(path, platform).served}
    assert (len(files) > 300, refused) == (True, set(LOST))


def test_a_script_reads_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor([str(path_of("dictionary.pkl", tmp_path)), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["served"], said["size"] > 0, said["max_size"]) == (False, True, MOST_BYTES)
    assert said["contents"]["saved_with"] == {"scikit-learn": installed("scikit-learn")}
    assert said["contents"]["environment"]["name"] is None
    (trouble,) = said["troubles"]
    assert trouble.keys() == {"reason", "message", "cure"}
    assert trouble["reason"] == "NotAModel"


@pytest.mark.parametrize("name", ["nothing.joblib", ".", "/dev/null"])
def test_what_is_no_file_is_wrong_usage(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctor([name, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "WrongUsage"


def test_nothing_is_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marked = tmp_path / "loaded"
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Named(os.mkdir, str(marked))))
    assert doctor([str(path)]) == 1
    assert "The file names posix.mkdir" in capsys.readouterr().out
    assert not marked.exists()


def test_an_mlflow_folder_is_the_model_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    folder = FIXTURES / "mlflow"
    assert doctor([str(folder / "xgboost.zip")]) == 0
    said = capsys.readouterr().out
    assert "  folder      MLflow's, flavor xgboost; model.ubj goes on alone\n" in said
    assert "  saved with  xgboost 3.2.0" in said
    assert "  sample      the first row of the folder's input example" in said
    assert doctor([str(folder / "own_code.zip")]) == 1
    assert "UnsupportedFormat: The MLflow folder holds Python code of its own" in capsys.readouterr().out
    # Packed it is smaller than the limit here, and its model is not.
    assert doctor([str(folder / "skops.zip")]) == 1
    assert f"TooLarge: The file is larger than {MOST_BYTES:,} bytes" in capsys.readouterr().out


def test_other_folders_are_the_models_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor([str(FIXTURES / "model_folders" / "mlserver_xgboost.tar.gz")]) == 0
    said = capsys.readouterr().out
    assert "  folder      MLServer's petals (mlserver_xgboost); petals/petals.json goes on alone\n" in said
    assert doctor([str(FIXTURES / "mlflow" / "code.tar.gz")]) == 0
    said = capsys.readouterr().out
    assert "model/model.pkl goes on, with the modules in model/code/\n" in said
    assert doctor([str(FIXTURES / "model_folders" / "hub_skops.zip")]) == 0
    assert "  runs in     sklearn-1.2: GaussianProcessRegressor" in capsys.readouterr().out


def test_a_folder_of_texts_is_what_is_packed_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODELPORT_MAX_UPLOAD_BYTES", "50000")
    path = FIXTURES / "transformers" / "bert.zip"
    doctor([str(path)])
    said = capsys.readouterr().out
    assert (
        "  folder      Hugging Face's, a BertForSequenceClassification; 4 files of it go on alone\n" in said
    )
    assert "  format      transformers\n" in said
    assert "  runs in     transformers-5.24: the platform has no library of its own" in said


def test_code_needs_a_sandbox_and_data_does_not(
    machine: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine["sandbox"] = (1, "no Landlock")
    assert doctor([str(path_of("here.joblib", tmp_path))]) == 1
    assert "SandboxUnavailable: A file of this format can run code" in capsys.readouterr().out
    assert doctor([str(FIXTURES / "other_versions/1.2.2/tree.skops")]) == 0
    assert "SandboxUnavailable" not in capsys.readouterr().out


def test_the_users_own_folder_does_not_count_as_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mypackage").mkdir()
    (tmp_path / "mypackage/__init__.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert doctor([str(path_of("package.pkl", tmp_path))]) == 1
    assert "'mypackage.transformers', which this runtime does not have" in capsys.readouterr().out


def test_what_an_environment_will_have_is_read_from_its_lock() -> None:
    is_there = modules.in_lock(find("sklearn-1.2"))
    here = ("sklearn.svm", "_loss", "numpy._core", "dateutil.tz", "collections", "modelport_runtime.core")
    assert [module for module in here if not is_there(module)] == []
    assert [module for module in ("xgboost.sklearn", "mypackage.transformers") if is_there(module)] == []


def test_a_platform_says_itself_what_it_takes(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODELPORT_MAX_UPLOAD_BYTES", "600")
    plane = build_control_plane(sqlite_url, tmp_path / "platform", choose_environments=False)
    with running_server(plane.public) as server:
        url = f"http://127.0.0.1:{server.port}"
        code = doctor([str(path_of("gaussian_process-1.2.pkl", tmp_path)), "--platform", url])
    said = capsys.readouterr().out
    assert code == 1
    assert f"platform    {url}" in said
    assert "TooLarge: The file is larger than 600 bytes" in said
    assert "LibraryMismatch: GaussianProcessRegressor predicts only in sklearn-1.2" in said


def test_what_is_no_platform_is_said() -> None:
    with running_server(FastAPI()) as server, pytest.raises(ModelportError, match="--platform"):
        Platform.at(f"http://127.0.0.1:{server.port}")


def test_the_platforms_own_libraries_are_what_the_runtime_requires() -> None:
    is_there = modules.in_release()
    asked = ("sklearn.svm", "xgboost", "onnxruntime", "dateutil", "pytest", "pyarrow", "mypackage")
    assert [module for module in asked if not is_there(module)] == ["pytest", "pyarrow", "mypackage"]
