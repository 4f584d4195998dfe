"""ONNX graphs whose input declares no shape: rows are vectors of whatever length the graph takes."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from tests.runtime.unit.core.conftest import fields, open_engine, predict, refused
from tests.support.onnx_graphs import Graph

ROWS = [[1.0, 2.0, 3.0], [4.0, -5.0, 6.5]]


def product() -> Graph:
    weights = {"w": np.arange(6, dtype=np.float32).reshape(3, 2)}
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return Graph(nodes, [("x", "float32", None)], [("y", "float32", None)], weights)


def same(dtype: str) -> Graph:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    return Graph(nodes, [("x", dtype, None)], [("y", dtype, None)])


def given(graph: Graph, rows: Any, dtype: str = "float32") -> Any:
    session = onnxruntime.InferenceSession(graph.bytes())
    return session.run(None, {"x": np.array(rows, dtype)})[0]


@pytest.mark.parametrize(
    ("graph", "sample"), [(product(), {"input": ROWS[0]}), (product(), None), (same("float32"), None)]
)
def test_vectors_get_what_the_graph_returns(graph: Graph, sample: Any, tmp_path: Path) -> None:
    engine = open_engine(graph.save(tmp_path), "onnx", sample)
    right = given(graph, ROWS)
    assert predict(engine, {"inputs": ROWS})["predictions"] == right.tolist()
    assert predict(engine, {"input": ROWS[1]})["prediction"] == given(graph, ROWS[1:])[0].tolist()
    for rows in (ROWS, ROWS[:1]):
        data = [number for row in rows for number in row]
        tensor = {"name": "x", "shape": [len(rows), 3], "datatype": "FP32", "data": data}
        (output,) = predict(engine, {"inputs": [tensor]}, "v2")["outputs"]
        right = given(graph, rows)
        assert (output["shape"], output["data"]) == (list(right.shape), right.ravel().tolist())
    assert [each["shape"] for each in engine.v2_metadata()["inputs"]] == [[-1, -1]]


def test_vectors_of_several_lengths_are_each_predicted_as_alone(tmp_path: Path) -> None:
    rows = [[1.0], [2.0, 3.0], [4.0]]
    engine = open_engine(same("float32").save(tmp_path), "onnx")
    assert predict(engine, {"inputs": rows})["predictions"] == rows


@pytest.mark.parametrize("wrong", [1.9, 256, -1, True, None, "1"])
def test_a_value_that_the_type_does_not_hold_is_named(wrong: Any, tmp_path: Path) -> None:
    engine = open_engine(same("uint8").save(tmp_path), "onnx")
    failure = refused(engine, {"inputs": [[1, 2], [3, wrong]]})
    assert (failure.status, fields(failure)) == (422, ["inputs[1][1]"])
