"""A row that only names a model's columns does not fail it: its values are nobody's."""

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from modelport_runtime.core import backends
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, LoadError, Prediction
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

NAMED = {"input": {"width": 0, "height": 0}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """It raises on zeros, whose logarithm is infinite, and knows no names."""
    rows = np.random.RandomState(0).uniform(1, 5, size=(30, 2))
    model = make_pipeline(FunctionTransformer(np.log), LinearRegression()).fit(rows, np.log(rows[:, 0]))
    joblib.dump(model, tmp_path / "model.joblib")
    return tmp_path / "model.joblib"


def loaded(path: Path, sample: dict[str, Any]) -> Engine:
    engine = backends.load(path, "sklearn", sample, model="m", version="1", max_batch_rows=8)
    backends.self_check(engine)
    return engine


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_other_rows_are_tried_by_its_names(path: Path) -> None:
    engine = loaded(path, {**NAMED, "made_up": True})

    assert (engine.sample, engine.sample_source) == ({"input": {"width": 1.0, "height": 1.0}}, "synthetic")
    (found,) = engine.predict_many(
        [Call("native", json.dumps({"input": {"width": 2, "height": 3}}).encode())]
    )
    assert isinstance(found, Prediction), found
    assert json.loads(found.body)["prediction"] == pytest.approx(np.log(2))


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_sample_of_the_users_own_has_to_be_predicted(path: Path) -> None:
    with pytest.raises(LoadError, match="SampleFailed: The model raised on its sample"):
        loaded(path, NAMED)
