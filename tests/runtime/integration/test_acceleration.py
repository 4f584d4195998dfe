"""A runtime that answers by NumPy kernels: proven, rechecked, and given up when they differ."""

import os
import pickle
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.integration.hostile.harness import Runs
from tests.runtime.integration.test_two_processes import model_process, runs
from tests.support import models
from tests.support.runtime_fixtures import Runtime
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

StartRuntime = Callable[..., Runtime]
ROW = [5.1, 3.5, 1.4, 0.2]
OFF = {"MODELPORT_RUNTIME_ACCELERATION": "off"}
MIB = 1024**2


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    return models.save_joblib(models.iris_logistic().model, tmp_path)


def pss_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def count(runtime: Runtime, name: str) -> float:
    lines = runtime.get("/metrics").body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"modelport_runtime_{name} "))


def test_kernels_predict_as_the_model_and_report_how_that_was_proven(
    iris: Path, forked_runtime: StartRuntime
) -> None:
    trained = models.iris_logistic()
    body = {"inputs": trained.rows, "return": ["prediction", "probabilities"]}
    accelerated = forked_runtime(iris).wait_until_started()
    original = forked_runtime(iris, **OFF).wait_until_started()

    given, expected = (one.post("/predict", body).json for one in (accelerated, original))

    assert given["predictions"] == expected["predictions"] == trained.model.predict(trained.data).tolist()
    for one, other in zip(given["probabilities"], expected["probabilities"], strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    status = accelerated.status
    assert (status["engine"], original.status["engine"]) == ("numpy", "native")
    assert status["acceleration"]["rows_compared"] >= 1000
    assert 0 <= status["acceleration"]["largest_difference"] <= 1e-6
    assert count(accelerated, "accelerated") == 1
    for key in ("signature", "sample", "libraries", "sandbox"):
        assert status[key] == original.status[key]
    assert accelerated.get("/v2").json == original.get("/v2").json


@pytest.mark.parametrize("body", [b"{", b'{"input": [1]}', b'{"input": ["a", 2, 3, 4]}', b'{"inputs": []}'])
def test_wrong_requests_get_the_same_response_with_and_without_kernels(
    body: bytes, iris: Path, forked_runtime: StartRuntime
) -> None:
    answers = [
        forked_runtime(iris, **settings).wait_until_started().post("/predict", body, {"x-request-id": "1"})
        for settings in ({}, OFF)
    ]

    assert answers[0].status in (400, 422)
    assert (answers[0].status, answers[0].json) == (answers[1].status, answers[1].json)


def test_requests_are_compared_with_the_original_in_the_background(
    iris: Path, forked_runtime: StartRuntime
) -> None:
    started = forked_runtime(iris, MODELPORT_RUNTIME_RECHECK_EVERY="2").wait_until_started()

    def rechecked() -> bool:
        assert started.post("/predict", {"input": ROW}).json["prediction"] == "setosa"
        return count(started, "acceleration_rechecks_total") >= 3

    eventually(rechecked)
    assert count(started, "acceleration_differences_total") == 0
    assert started.status["engine"] == "numpy"


def test_that_a_front_imports_the_kernels_once_it_is_restricted(iris: Path, runtime: StartRuntime) -> None:
    """A fork of one that has imported its libraries has them whatever it may read."""
    started = runtime(iris).wait_until_started()
    assert started.status["engine"] == "numpy", started.log


DRIFTS = """
import pickle, time
from sklearn.linear_model import LogisticRegression
model, rightly = pickle.loads(DATA), LogisticRegression.decision_function
ends = time.monotonic() + 8
def decision_function(self, X):
    scores = rightly(self, X)
    return scores if time.monotonic() < ends else -scores
LogisticRegression.decision_function = decision_function
"""


def test_a_model_that_comes_to_differ_predicts_itself_again(
    tmp_path: Path, forked_runtime: StartRuntime
) -> None:
    source = f"DATA = {pickle.dumps(models.iris_logistic().model)!r}\n{DRIFTS}"
    held = Runs(eval, f"(names := {{}}, exec({source!r}, names), names['model'])[2]")
    started = forked_runtime(
        models.save_pickle(held, tmp_path), MODELPORT_RUNTIME_RECHECK_EVERY="1"
    ).wait_until_started()
    assert started.status["engine"] == "numpy", started.status["acceleration"]
    rows_compared = started.status["acceleration"]["rows_compared"]

    def differs() -> bool:
        assert started.post("/predict", {"input": ROW}).status == 200
        return bool(started.status["engine"] == "native")

    eventually(differs)
    status = started.status
    assert status["state"] == "ready"
    assert "another prediction than the original" in status["acceleration"]["detail"]
    assert status["acceleration"]["rows_compared"] == rows_compared
    assert count(started, "acceleration_differences_total") == 1
    assert started.post("/predict", {"input": ROW}).json["prediction"] != "setosa"


def test_a_dropped_original_leaves_a_small_process(iris: Path, runtime: StartRuntime) -> None:
    started = runtime(iris, MODELPORT_RUNTIME_RECHECK_EVERY="0").wait_until_started()
    eventually(lambda: count(started, "model_process") == 0)

    assert started.post("/predict", {"input": ROW}).json["prediction"] == "setosa"
    assert "no request is compared" in started.status["acceleration"]["detail"]
    assert pss_bytes(started.process.pid) <= 60 * MIB


def test_both_processes_of_a_model_are_small(iris: Path, runtime: StartRuntime) -> None:
    started = runtime(iris).wait_until_started()

    front, model = pss_bytes(started.process.pid), pss_bytes(model_process(started))

    assert front <= 50 * MIB
    assert front + model <= 120 * MIB


def test_kernels_go_on_when_the_original_is_killed(iris: Path, forked_runtime: StartRuntime) -> None:
    started = forked_runtime(iris, MODELPORT_RUNTIME_RECHECK_EVERY="1").wait_until_started()
    child = model_process(started)

    os.kill(child, signal.SIGKILL)

    eventually(lambda: not runs(child) and count(started, "model_process") == 0)
    assert started.post("/predict", {"input": ROW}).json["prediction"] == "setosa"
    assert "has ended" in started.status["acceleration"]["detail"]
    assert count(started, "acceleration_rechecks_skipped_total") >= 1
    assert started.stop() == 0


def test_switched_off_the_model_itself_predicts(iris: Path, forked_runtime: StartRuntime) -> None:
    started = forked_runtime(iris, **OFF).wait_until_started()

    assert started.status["engine"] == "native"
    assert started.status["acceleration"]["setting"] == "off"
    assert started.post("/predict", {"input": ROW}).json["prediction"] == "setosa"
