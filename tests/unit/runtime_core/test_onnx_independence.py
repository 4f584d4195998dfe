"""Rows of an ONNX graph that look at each other: refused, or run alone where that is all there is to mend."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from modelport_runtime.core.types import LoadError
from onnx import helper

from tests.support.onnx_graphs import Graph
from tests.unit.runtime_core.conftest import ask, open_engine

ROWS = ("x", "float32", [None, 2])
RESULTS = ("y", "float32", [None, 2])


def running_sum() -> Graph:
    axis = {"axis": np.array(0)}
    return Graph([helper.make_node("CumSum", ["x", "axis"], ["y"])], [ROWS], [RESULTS], axis)


def centred() -> Graph:
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0]),
        helper.make_node("Sub", ["x", "mean"], ["y"]),
    ]
    return Graph(nodes, [ROWS], [RESULTS])


def by_the_sign_of_all() -> Graph:
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Sign", ["sum"], ["sign"]),
        helper.make_node("Mul", ["x", "sign"], ["y"]),
    ]
    return Graph(nodes, [ROWS], [RESULTS])


def quantized() -> Graph:
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    return Graph(nodes, [ROWS], [RESULTS])


@pytest.mark.parametrize("graph", [running_sum(), centred(), by_the_sign_of_all()])
def test_rows_that_depend_on_each_other_are_refused(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="another answer in a batch than alone") as raised:
        open_engine(graph.save(tmp_path), "onnx")
    assert raised.value.reason == "SampleFailed"


def test_a_graph_that_scales_by_its_batch_takes_each_row_alone(tmp_path: Path) -> None:
    graph = quantized()
    rows = [[0.123, 0.456], [250.0, -3.0]]
    session = onnxruntime.InferenceSession(graph.bytes())
    alone = [session.run(None, {"x": np.array([row], np.float32)})[0][0] for row in rows]
    engine: Any = open_engine(graph.save(tmp_path), "onnx")
    answer = ask(engine, {"inputs": rows})["predictions"]
    assert np.array_equal(np.array(answer, np.float32), np.array(alone))


def test_what_is_drawn_by_chance_is_no_sign_of_it(tmp_path: Path) -> None:
    noise = helper.make_node("RandomNormalLike", ["x"], ["y"])
    ask(open_engine(Graph([noise], [ROWS], [RESULTS]).save(tmp_path), "onnx"), {"input": [1, 2]})
