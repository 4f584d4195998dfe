"""Rows of an ONNX graph that look at each other: refused, or run alone where that is all there is to mend."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from modelport_runtime.core.types import LoadError
from onnx import helper

from tests.runtime.unit.core.conftest import open_engine, predict
from tests.support.onnx_graphs import Graph

ROWS = ("x", "float32", [None, 2])
RESULTS = ("y", "float32", [None, 2])


def running_sum() -> Graph:
    axis = {"axis": np.array(0)}
    return Graph([helper.make_node("CumSum", ["x", "axis"], ["y"])], [ROWS], [RESULTS], axis)


def centered() -> Graph:
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


@pytest.mark.parametrize("graph", [running_sum(), centered(), by_the_sign_of_all()])
def test_rows_that_depend_on_each_other_are_refused(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="another prediction in a batch than alone") as raised:
        open_engine(graph.save(tmp_path), "onnx")
    assert raised.value.reason == "SampleFailed"


def test_a_graph_that_scales_by_its_batch_takes_each_row_alone(tmp_path: Path) -> None:
    graph = quantized()
    rows = [[0.123, 0.456], [250.0, -3.0]]
    session = onnxruntime.InferenceSession(graph.bytes())
    alone = [session.run(None, {"x": np.array([row], np.float32)})[0][0] for row in rows]
    engine: Any = open_engine(graph.save(tmp_path), "onnx")
    response = predict(engine, {"inputs": rows})["predictions"]
    assert np.array_equal(np.array(response, np.float32), np.array(alone))


def test_what_is_drawn_by_chance_is_no_sign_of_it(tmp_path: Path) -> None:
    noise = helper.make_node("RandomNormalLike", ["x"], ["y"])
    predict(open_engine(Graph([noise], [ROWS], [RESULTS]).save(tmp_path), "onnx"), {"input": [1, 2]})


def split_texts() -> Graph:
    split = helper.make_node("StringSplit", ["x"], ["words", "count"], delimiter=" ")
    return Graph(
        [split], [("x", "str", [None])], [("words", "str", [None, None]), ("count", "int64", [None])]
    )


def widths_of_split_texts() -> Graph:
    """The number of cells that a text is filled up to: 1 alone, 3 beside one of three words."""
    nodes = [
        helper.make_node("StringSplit", ["x"], ["words", "count"], delimiter=" "),
        helper.make_node("Shape", ["words"], ["width"], start=1),
        helper.make_node("Mul", ["count", "width"], ["y"]),
    ]
    return Graph(nodes, [("x", "str", [None])], [("y", "int64", [None])])


@pytest.mark.parametrize("graph", [split_texts(), widths_of_split_texts()])
def test_texts_that_are_filled_up_to_the_longest_are_split_each_alone(graph: Graph, tmp_path: Path) -> None:
    texts = ["a", "b c d", "e f"]
    graph.opset = 20
    session = onnxruntime.InferenceSession(graph.bytes())
    alone = [
        [np.asarray(each)[0].tolist() for each in session.run(None, {"x": np.array([text], object)})]
        for text in texts
    ]
    engine: Any = open_engine(graph.save(tmp_path), "onnx")
    for response in (
        predict(engine, {"inputs": texts})["predictions"],
        [predict(engine, {"input": text})["prediction"] for text in texts],
    ):
        given = [list(each.values()) if isinstance(each, dict) else [each] for each in response]
        assert given == alone


def test_tokens_that_fill_up_are_found_by_what_the_graph_gives(tmp_path: Path) -> None:
    """No operator's name tells it: as many cells as the largest number of all rows."""
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["largest"], keepdims=0),
        helper.make_node("Range", ["zero", "largest", "one"], ["cells"]),
        helper.make_node("Add", ["x", "cells"], ["y"]),
    ]
    constants = {"zero": np.array(0, np.int64), "one": np.array(1, np.int64)}
    graph = Graph(nodes, [("x", "int64", [None, 1])], [("y", "int64", [None, None])], constants)
    session = onnxruntime.InferenceSession(graph.bytes())
    rows = [[3], [1], [5]]
    alone = [session.run(None, {"x": np.array([row])})[0][0].tolist() for row in rows]
    engine: Any = open_engine(graph.save(tmp_path), "onnx")
    assert predict(engine, {"inputs": rows})["predictions"] == alone
