"""A boolean among numbers counts in a batch job as in a prediction: 1 to all libraries but ONNX Runtime."""

import io
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import orjson
import pandas as pd
import pytest
from modelport_control_api.batch.preparation import Preparation
from modelport_runtime.core.types import Call, Failure, Prediction
from onnx import helper
from sklearn.linear_model import LinearRegression

from tests.runtime.unit.core.conftest import open_engine
from tests.support.onnx_graphs import Graph

ROWS = pd.DataFrame({"size": [1.5, 2.5, 3.5], "paid": [True, False, True]})
FORMS = {
    "csv": ROWS.to_csv(index=False).encode(),
    "jsonl": ROWS.to_json(orient="records", lines=True).encode(),
    "parquet": ROWS.to_parquet(index=False),
}


def predict(engine: Any, form: str) -> Any:
    signature = engine.signature.to_json()
    (chunk,) = Preparation(io.BytesIO(FORMS[form]), form, signature, None).chunks()
    assert not chunk.errors
    (result,) = engine.predict_many([Call("native", b'{"inputs": %b}' % chunk.as_json())])
    return result


@pytest.mark.parametrize("form", FORMS)
def test_the_rows_that_a_model_was_trained_on_are_predicted(form: str, tmp_path: Path) -> None:
    model = LinearRegression().fit(ROWS, [1.0, 2.0, 4.0])
    joblib.dump(model, tmp_path / "model.joblib")
    result = predict(open_engine(tmp_path / "model.joblib"), form)
    assert isinstance(result, Prediction)
    assert orjson.loads(result.body)["predictions"] == pytest.approx(model.predict(ROWS).tolist())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS)
def test_onnx_refuses_them_in_all_formats_alike(form: str, dtype: str, tmp_path: Path) -> None:
    graph = Graph(
        [helper.make_node("Add", ["size", "paid"], ["y"])],
        [("size", dtype, [None, 1]), ("paid", dtype, [None, 1])],
        [("y", dtype, [None, 1])],
    )
    failure = predict(open_engine(graph.save(tmp_path), "onnx"), form)
    assert isinstance(failure, Failure)
    assert [error["field"][:9] for error in failure.errors] == [f"inputs[{row}]" for row in range(3)]
    assert "must be a number, not a boolean" in failure.detail


def test_numbers_beside_a_boolean_keep_their_digits() -> None:
    signature = {"columns": [{"name": "a", "kind": "number", "dtype": "float64", "optional": False}]}
    values = np.random.default_rng(0).normal(size=20).tolist()
    data = "a\n" + "".join(f"{value!r}\n" for value in values) + "True\n"
    (chunk,) = Preparation(io.BytesIO(data.encode()), "csv", signature, None).chunks()
    assert orjson.loads(chunk.as_json()) == [[value] for value in [*values, True]]
