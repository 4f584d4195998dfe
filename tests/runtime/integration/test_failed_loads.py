"""What is wrong with a file is reported by reason, with what to do; the process stays up to report it."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sklearn

from tests.runtime.integration.hostile.harness import Runs
from tests.runtime.unit.process.test_inspection import saved_with
from tests.support import models
from tests.support.runtime_fixtures import Runtime

StartRuntime = Callable[..., Runtime]


def fails(runtime: StartRuntime, path: Path, framework: str = "sklearn", **env: str) -> dict[str, Any]:
    started = runtime(path, framework, **env).wait_until_started()
    status = started.status
    assert status["state"] == "failed", status
    assert started.get("/healthz").status == 200
    assert started.get("/readyz").status == 503
    answer = started.post("/predict", {"input": [1, 2, 3, 4]})
    assert (answer.status, answer.json["reason"]) == (503, status["reason"])
    return status


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (pickle.dumps({"a": 1}), "NotAModel", "dict"),
        (pickle.dumps(models.iris_logistic().model)[:-200], "CorruptArtifact", "cut off"),
        (b"\x80\x04\xff.", "CorruptArtifact", ""),
        (b"", "CorruptArtifact", "empty"),
        (
            b"\x80\x04\x8c\x0fnot_a_module_xx\x94\x8c\x05Model\x94\x93\x94.",
            "MissingModule",
            "not_a_module_xx",
        ),
        (b"cnot_a_module_xx\nModel\n.", "MissingModule", "not_a_module_xx"),
        (b"c__main__\nMyModel\n.", "MissingModule", "MyModel"),
        (pickle.dumps(Runs(int, "no number")), "LoadFailed", "ValueError: invalid literal"),
    ],
    ids=[
        "no model",
        "cut off",
        "damaged",
        "empty",
        "unknown module",
        "unknown module, old protocol",
        "class of a notebook",
        "raises",
    ],
)
def test_a_bad_file_is_reported_by_reason(
    content: bytes, reason: str, says: str, tmp_path: Path, forked_runtime: StartRuntime
) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)

    status = fails(forked_runtime, path)

    assert status["reason"] == reason
    assert says in status["message"]


def test_another_digest_is_not_loaded(tmp_path: Path, runtime: StartRuntime) -> None:
    path = models.save_joblib(models.iris_logistic().model, tmp_path)

    status = fails(runtime, path, MODELPORT_RUNTIME_ARTIFACT_SHA256="0" * 64)

    assert status["reason"] == "DigestMismatch"


def test_a_file_that_is_not_there_is_reported(tmp_path: Path, forked_runtime: StartRuntime) -> None:
    assert fails(forked_runtime, tmp_path / "model")["reason"] == "ArtifactNotFound"


@pytest.mark.parametrize(
    ("sample", "reason"),
    [('{"input": [1, 2]}', "SampleInvalid"), ('{"input": [1, 2, 3, "four"]}', "SampleInvalid")],
)
def test_a_sample_that_does_not_fit_is_reported(
    sample: str, reason: str, tmp_path: Path, forked_runtime: StartRuntime
) -> None:
    path = models.save_joblib(models.iris_logistic().model, tmp_path)

    assert fails(forked_runtime, path, MODELPORT_RUNTIME_SAMPLE=sample)["reason"] == reason


def test_a_model_of_another_version_that_predicts_is_served_and_the_difference_reported(
    tmp_path: Path, forked_runtime: StartRuntime
) -> None:
    started = forked_runtime(saved_with("1.2.2", tmp_path)).wait_until_started()

    assert started.status["state"] == "ready"
    assert "1.2.2" in started.status["differences"][0]
    assert sklearn.__version__ in started.status["differences"][0]


def test_a_model_of_another_version_that_does_not_load_names_both(
    tmp_path: Path, forked_runtime: StartRuntime
) -> None:
    path = saved_with("1.2.2", tmp_path)
    # A module that moved: the commonest way in which an old file does not load.
    path.write_bytes(path.read_bytes().replace(b"\x8c\x10sklearn.pipeline", b"\x8c\x10sklearn.pipelime"))

    status = fails(forked_runtime, path)

    assert status["reason"] == "LibraryMismatch"
    assert "1.2.2" in status["message"]
    assert sklearn.__version__ in status["message"]


def test_settings_that_are_wrong_end_the_process_with_one_line(tmp_path: Path, runtime: StartRuntime) -> None:
    started = runtime(tmp_path / "model", "fortran")

    assert started.wait_until_ended() == 1
    assert "MODELPORT_RUNTIME_FRAMEWORK" in started.log
    assert "Traceback" not in started.log
