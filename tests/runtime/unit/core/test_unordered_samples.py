"""A sample whose fields Kubernetes has sorted names no columns of a model that takes them by place."""

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from modelport_runtime.core import backends
from modelport_runtime.core.backends.own_code.hints import hint_of
from modelport_runtime.core.backends.own_code.taking import signature_of
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.samples import sample_row
from modelport_runtime.core.types import Call, LoadError, Prediction
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

ROWS = np.random.RandomState(0).uniform(1, 5, size=(30, 2))
TENFOLD_WIDTH = 10 * ROWS[:, 0] + ROWS[:, 1]
SORTED = {"height": 3.0, "width": 2.0}


def loaded(folder: Path, model: Any, sample: dict[str, Any]) -> Engine:
    joblib.dump(model, folder / "model")
    engine = backends.load(folder / "model", "sklearn", sample, model="m", version="1", max_batch_rows=8)
    backends.self_check(engine)
    return engine


def predicted(engine: Engine, row: Any) -> Any:
    (found,) = engine.predict_many([Call("native", json.dumps({"input": row}).encode())])
    assert isinstance(found, Prediction), found
    return json.loads(found.body)["prediction"]


def nameless() -> Any:
    return LinearRegression().fit(ROWS, TENFOLD_WIDTH)


def without_columns() -> Any:
    return make_pipeline(FunctionTransformer(np.asarray)).fit(ROWS)


@pytest.mark.parametrize("made", [nameless, without_columns])
@pytest.mark.parametrize("more", [{}, {"made_up": True}])
def test_it_is_refused_with_its_cure(tmp_path: Path, made: Any, more: dict[str, Any]) -> None:
    with pytest.raises(LoadError, match=r"SampleInvalid: .*by place.*sampleColumns.*as a list"):
        loaded(tmp_path, made(), {"input": SORTED, "unordered": True, **more})


def test_a_model_that_knows_its_names_takes_it(tmp_path: Path) -> None:
    model = LinearRegression().fit(pd.DataFrame(ROWS, columns=["width", "height"]), TENFOLD_WIDTH)
    engine = loaded(tmp_path, model, {"input": SORTED, "unordered": True})
    assert (engine.sample, engine.sample_source) == ({"input": SORTED}, "given")
    assert predicted(engine, SORTED) == pytest.approx(23)


def test_a_list_and_one_field_have_an_order(tmp_path: Path) -> None:
    engine = loaded(tmp_path, nameless(), {"input": [2.0, 3.0], "unordered": True})
    assert predicted(engine, [2.0, 3.0]) == pytest.approx(23)
    single = LinearRegression().fit(ROWS[:, :1], ROWS[:, 0])
    engine = loaded(tmp_path, single, {"input": {"width": 2.0}, "unordered": True})
    assert predicted(engine, {"width": 4.0}) == pytest.approx(4)


def test_code_that_takes_an_array_is_refused_and_code_that_takes_objects_is_not() -> None:
    def of_array(rows: np.ndarray) -> Any: ...
    def of_frame(rows: pd.DataFrame) -> Any: ...
    def of_objects(rows: list[dict[str, float]]) -> Any: ...

    row = sample_row({"input": SORTED, "unordered": True})
    for taking in (of_array, of_frame):
        with pytest.raises(LoadError, match="sampleColumns"):
            signature_of(hint_of(taking, "predict"), row, "predict")
    columns = signature_of(hint_of(of_objects, "predict"), row, "predict").columns
    assert [each.name for each in columns or ()] == ["height", "width"]
