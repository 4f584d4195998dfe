"""What is served where the machine cannot isolate, or not wholly: only files that hold no code."""

import operator
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from modelport_runtime.process.environment import clean_environment
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tests.support import models, weak_runtime
from tests.support.runtime_fixtures import Runtime, start_runtime

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is nothing to take away")

StartWeak = Callable[..., Runtime]
ROW = [5.1, 3.5, 1.4, 0.2]
BOTH = "landlock,seccomp"


def _launch(missing: str, environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-I", str(weak_runtime.__file__), missing],
            env=clean_environment(environment) | {"MODELPORT_RUNTIME_PARENT_PID": str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


@pytest.fixture
def weak() -> Iterator[StartWeak]:
    """Start a runtime without some layers of the sandbox, and wait until its load has ended."""
    started: list[Runtime] = []

    def start(missing: str, artifact: Path, framework: str = "sklearn", **env: str) -> Runtime:
        started.append(start_runtime(artifact, framework, partial(_launch, missing), **env))
        return started[-1].wait_until_started()

    yield start
    for one in started:
        one.kill()


def save_skops(folder: Path, function: Callable[..., object] | None = None) -> Path:
    data, species = models.iris()
    pipeline = make_pipeline(FunctionTransformer(function), StandardScaler(), LogisticRegression())
    return models.save_skops(pipeline.fit(data, species), folder)


@pytest.mark.parametrize(("missing", "level"), [(BOTH, 0), ("landlock", 1), ("seccomp", 1)])
def test_a_file_that_can_run_code_is_not_read(
    missing: str, level: int, tmp_path: Path, weak: StartWeak
) -> None:
    started = weak(missing, models.save_joblib(models.iris_logistic().model, tmp_path))

    assert (started.status["state"], started.status["reason"]) == ("failed", "SandboxUnavailable")
    assert "this machine cannot isolate it" in started.status["message"]
    assert started.status["sandbox"]["level"] == level
    for layer in missing.split(","):
        assert f"{layer} is not there: [errno 38]" in started.status["sandbox"]["detail"].lower()


@pytest.mark.parametrize(
    ("framework", "save"),
    [
        ("onnx", lambda folder: models.save_onnx(models.iris_logistic(), folder)),
        ("xgboost", lambda folder: models.save_xgboost(models.iris_xgboost().model, folder)),
        ("lightgbm", lambda folder: models.save_lightgbm(models.iris_lightgbm().model, folder)),
        ("sklearn", save_skops),
    ],
    ids=["onnx", "xgboost", "lightgbm", "skops"],
)
def test_a_file_without_code_is_served(
    framework: str, save: Callable[[Path], Path], tmp_path: Path, weak: StartWeak
) -> None:
    started = weak(BOTH, save(tmp_path), framework)

    assert started.status["state"] == "ready", started.status
    assert started.status["sandbox"]["level"] == 0
    assert started.post("/predict", {"input": ROW}).status == 200
    assert "modelport_runtime_sandbox_level 0.0" in started.get("/metrics").body.decode()


def test_a_setting_of_the_platform_may_allow_it(tmp_path: Path, weak: StartWeak) -> None:
    path = models.save_joblib(models.iris_logistic().model, tmp_path)

    started = weak(BOTH, path, MODELPORT_RUNTIME_ALLOW_UNSANDBOXED="true")

    assert started.post("/predict", {"input": ROW}).json["prediction"] == "setosa"
    assert started.status["sandbox"]["level"] == 0


def test_a_skops_file_of_other_types_needs_the_whole_sandbox(
    tmp_path: Path, weak: StartWeak, forked_runtime: Callable[..., Runtime]
) -> None:
    path = save_skops(tmp_path, operator.pos)

    refused = weak("landlock", path).status
    served = forked_runtime(path).wait_until_started()

    assert (refused["state"], refused["reason"]) == ("failed", "LoadFailed")
    assert "_operator.pos" in refused["message"]
    assert served.status["state"] == "ready", served.status
    assert served.post("/predict", {"input": ROW}).json["prediction"] == "setosa"
