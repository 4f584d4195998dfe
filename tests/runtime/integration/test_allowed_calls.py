"""What frameworks call in the sandbox is on its lists: none of their models is refused anything."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.neighbors import KNeighborsClassifier

from tests.support import models
from tests.support.models import Trained
from tests.support.runtime_fixtures import Runtime

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

Save = Callable[[Any, Path], Path]


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


def assert_unhindered(runtime: Runtime, row: Any) -> None:
    started = runtime.wait_until_started()

    assert started.status["sandbox"]["level"] == 2
    assert started.post("/predict", {"inputs": [row] * 70}).status == 200, started.status
    assert "system_call_refused" not in started.log
