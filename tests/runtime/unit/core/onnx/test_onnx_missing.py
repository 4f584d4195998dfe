"""An ONNX graph that has a way for missing values takes null and NaN; others refuse them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import orjson
import pytest
from modelport_runtime.core.types import Call, Prediction
from onnx import helper
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tests.runtime.unit.core.conftest import open_engine, predict, refused
from tests.support.onnx_graphs import Graph

DATA = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
LABELS = (DATA[:, 0] > 0).astype(np.int64)
HOLES = np.where(DATA > 1, np.nan, DATA).astype(np.float32)
ROW = [None, 0.5, None]


def trained(model: Any, data: Any = HOLES, *, zipmap: bool = False) -> bytes:
    model.fit(data, LABELS)
    converted = to_onnx(model, DATA[:1], options={"zipmap": zipmap})
    written: bytes = converted.SerializeToString()
    return written


def stump(*, tracks_true: int) -> Graph:
    """One split, as boosters are converted: `tracks_true` is the way of what is missing."""
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        nodes_treeids=[0] * 3,
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0] * 3,
        nodes_values=[0.0] * 3,
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_missing_value_tracks_true=[tracks_true, 0, 0],
        target_treeids=[0] * 2,
        target_nodeids=[1, 2],
        target_ids=[0] * 2,
        target_weights=[1.5, -1.5],
        n_targets=1,
    )
    return Graph([node], [("x", "float32", [None, 2])], [("y", "float32", [None, 1])])


def test_trees_that_lead_it_somewhere_take_it(tmp_path: Path) -> None:
    engine = open_engine(stump(tracks_true=1).save(tmp_path), "onnx")
    assert predict(engine, {"inputs": [[None, 1], [2, None], [-2, 1]]})["predictions"] == [1.5, -1.5, 1.5]
    raw = np.array([[np.nan, 1]], np.float32).tobytes()
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": len(raw)}}
    head = orjson.dumps({"inputs": [tensor]})
    (response,) = engine.predict_many([Call("v2", head + raw, len(head))])
    assert isinstance(response, Prediction), response
    assert orjson.loads(response.body)["outputs"][0]["data"] == [1.5]


def test_trees_that_do_not_refuse_it(tmp_path: Path) -> None:
    engine = open_engine(stump(tracks_true=0).save(tmp_path), "onnx")
    assert "takes no missing values" in refused(engine, {"input": [None, 1]}).detail


@pytest.mark.parametrize("zipmap", [True, False])
def test_an_imputer_takes_it(zipmap: bool, tmp_path: Path) -> None:
    model = make_pipeline(SimpleImputer(), LogisticRegression())
    path = tmp_path / "model"
    path.write_bytes(trained(model, zipmap=zipmap))
    engine = open_engine(path, "onnx")
    values = np.array([[np.nan, 0.5, np.nan]], np.float32)
    label, given = onnxruntime.InferenceSession(path.read_bytes()).run(None, {"X": values})
    scores = list(given[0].values()) if zipmap else given[0].tolist()
    response = predict(engine, {"input": ROW, "return": ["prediction", "probabilities"]})
    assert response["prediction"] == label[0]
    assert list(response["probabilities"].values()) == pytest.approx(scores, abs=1e-6)
    tensor = {"name": "X", "shape": [1, 3], "datatype": "FP32", "data": ROW}
    assert predict(engine, {"inputs": [tensor]}, "v2")["outputs"][0]["data"] == label.tolist()


@pytest.mark.parametrize("model", [RandomForestClassifier(5), LogisticRegression()])
def test_what_was_not_refuses_them(model: Any, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(trained(model, DATA))
    assert "takes no missing values" in refused(open_engine(path, "onnx"), {"input": ROW}).detail
