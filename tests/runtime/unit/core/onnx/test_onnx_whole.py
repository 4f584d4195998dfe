"""Inputs of a graph that have no rows, such as a state or a rate, are taken as its metadata tells them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from tests.runtime.unit.core.conftest import open_engine, predict, refused
from tests.support.onnx_graphs import Graph, TensorInfo

STATE: list[TensorInfo] = [
    ("sound", "float32", [None, None]),
    ("state", "float32", [2, None, 3]),
    ("rate", "int64", []),
]
VECTOR: list[TensorInfo] = [("x", "float32", [3]), ("z", "float32", [3])]


def voice() -> Graph:
    """As a detector of voice has it: it gives its next state beside its prediction."""
    nodes = [
        helper.make_node("Cast", ["rate"], ["factor"], to=1),
        helper.make_node("Mul", ["sound", "factor"], ["scaled"]),
        helper.make_node("ReduceMean", ["scaled"], ["answer"], axes=[1]),
        helper.make_node("Mul", ["state", "factor"], ["next"]),
    ]
    return Graph(nodes, STATE, [("answer", "float32", [None, 1]), ("next", "float32", [2, None, 3])])


def vectors() -> Graph:
    node = helper.make_node("Add", ["x", "z"], ["y"])
    return Graph([node], VECTOR, [("y", "float32", [3])])


def numbers(*shape: int) -> Any:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    ("graph", "feeds"),
    [
        (voice(), {"sound": numbers(1, 5), "state": numbers(2, 1, 3), "rate": np.array(16)}),
        (vectors(), {"x": numbers(3), "z": numbers(3)}),
    ],
)
def test_tensors_of_the_shapes_in_the_metadata(graph: Graph, feeds: dict[str, Any], tmp_path: Path) -> None:
    engine = open_engine(graph.save(tmp_path), "onnx")
    reported = {each["name"]: each for each in engine.v2_metadata()["inputs"]}
    inputs = [
        {
            "name": name,
            "shape": list(array.shape),
            "datatype": reported[name]["datatype"],
            "data": array.ravel().tolist(),
        }
        for name, array in feeds.items()
    ]
    assert all(len(each["shape"]) == len(reported[each["name"]]["shape"]) for each in inputs)
    given = {each["name"]: each for each in predict(engine, {"inputs": inputs}, "v2")["outputs"]}
    names = [name for name, *_ in graph.outputs]
    session = onnxruntime.InferenceSession(graph.bytes())
    for name, wanted in zip(names, session.run(names, feeds), strict=True):
        own = given.get(name) or given["predict"]
        assert own["shape"] == list(wanted.shape)
        assert own["data"] == wanted.ravel().tolist()


def test_what_has_no_rows_goes_with_each_row(tmp_path: Path) -> None:
    node = helper.make_node("Mul", ["x", "s"], ["y"])
    graph = Graph([node], [("x", "float32", [None, 2]), ("s", "float32", [])], [("y", "float32", [None, 2])])
    engine = open_engine(graph.save(tmp_path), "onnx")
    rows = {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1.0, 2.0, 3.0, 4.0]}
    scale = {"name": "s", "shape": [], "datatype": "FP32", "data": [3.0]}
    response = predict(engine, {"inputs": [rows, scale]}, "v2")["outputs"][0]
    assert (response["shape"], response["data"]) == ([2, 2], [3.0, 6.0, 9.0, 12.0])
    wrong = [rows | {"shape": []}, scale]
    assert refused(engine, {"inputs": wrong}, "v2").detail.startswith("inputs[0]")


def test_only_such_an_input_is_of_no_dimension(iris: Any) -> None:
    scalar = {"name": "input", "shape": [], "datatype": "FP64", "data": [1.0]}
    assert refused(iris, {"inputs": [scalar]}, "v2").detail.startswith("inputs[0].shape must be a list of")
