"""What frameworks call in the sandbox is on its lists: none of their models is refused anything."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.neighbors import KNeighborsClassifier

from tests.support import models
from tests.support.models import Trained
from tests.support.runtime_fixtures import Runtime

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

Save = Callable[[Any, Path], Path]
FIXTURES = Path(__file__).parents[2] / "fixtures"


def stack_in_threads() -> Trained:
    """Pools of threads within pools of threads, each with a pipe."""
    data, species = models.iris()
    inner = [("forest", RandomForestClassifier(20, n_jobs=-1)), ("near", KNeighborsClassifier(n_jobs=2))]
    return Trained(StackingClassifier(inner, n_jobs=2, cv=2).fit(data, species), data)


@pytest.mark.parametrize(
    ("framework", "trained", "save"),
    [
        ("sklearn", models.iris_logistic, models.save_joblib),
        ("sklearn", stack_in_threads, models.save_joblib),
        ("sklearn", models.mixed_pipeline, models.save_pickle),
        ("sklearn", models.text_classifier, models.save_pickle),
        ("sklearn", models.iris_logistic, models.save_skops),
        ("xgboost", models.iris_xgboost, models.save_xgboost),
        ("xgboost", models.categorical_xgboost, models.save_pickle),
        ("lightgbm", models.iris_lightgbm, models.save_lightgbm),
        ("lightgbm", models.categorical_lightgbm, models.save_joblib),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_framework_needs_no_call_that_is_refused(
    framework: str,
    trained: Callable[[], Trained],
    save: Save,
    tmp_path: Path,
    forked_runtime: Callable[..., Runtime],
) -> None:
    known = trained()

    assert_unhindered(
        forked_runtime(save(known.model, tmp_path), framework, OMP_NUM_THREADS="2"), known.rows[1]
    )


def test_onnx_needs_no_call_that_is_refused(tmp_path: Path, forked_runtime: Callable[..., Runtime]) -> None:
    known = models.iris_logistic()

    assert_unhindered(forked_runtime(models.save_onnx(known, tmp_path), "onnx"), known.rows[1])


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("environment", "framework", "file"),
    [
        ("catboost-1.2", "catboost", "catboost/price.cbm"),
        ("torch-2.15", "torch", "torch/dynamic.pt2"),
        ("tensorflow-2.21", "tensorflow", "tensorflow/flowers.keras"),
        ("tensorflow-2.21", "tensorflow", "tensorflow/counter.zip"),
        ("statsmodels-0.14", "statsmodels", "statsmodels/old/ols_formula.joblib"),
        ("statsmodels-0.15", "statsmodels", "statsmodels/new/ols_formula.joblib"),
        ("river-0.26", "river", "river/mixed.joblib"),
        ("jax-0.10", "jax", "jax/network.jaxexport"),
    ],
)
def test_a_framework_with_an_environment_needs_no_call_that_is_refused(
    environment: str, framework: str, file: str, runtime: Callable[..., Runtime]
) -> None:
    python = EnvironmentStore(default_folder()).prepare(find(environment))
    itself = {"MODELPORT_RUNTIME_MODEL_PYTHON": str(python), "MODELPORT_RUNTIME_ACCELERATION": "off"}

    started = runtime(FIXTURES / file, framework, **itself).wait_until_started()

    assert started.status["state"] == "ready", started.status
    assert_unhindered(started, started.status["sample"]["input"])


def assert_unhindered(runtime: Runtime, row: Any) -> None:
    started = runtime.wait_until_started()

    assert started.status["sandbox"]["level"] == 2
    assert started.post("/predict", {"inputs": [row] * 70}).status == 200, started.status
    assert "system_call_refused" not in started.log
