"""Recurrent ONNX graphs: rows are in the second size where the first counts steps, as PyTorch has them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from tests.runtime.unit.core.conftest import open_engine, predict
from tests.support.onnx_graphs import Graph

UNITS, FEATURES = 4, 2
RANDOM = np.random.default_rng(0)
Sizes = tuple[int | str, int | str]
DYNAMIC: Sizes = ("steps", "batch")
FIXED_BATCH: Sizes = ("steps", 1)


def recurrent(sizes: Sizes, *, states: bool = False, only_steps: bool = False, kind: str = "LSTM") -> Graph:
    steps, batch = sizes
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind] * UNITS
    constants = {
        "w": RANDOM.normal(size=(1, gates, FEATURES)).astype(np.float32),
        "r": RANDOM.normal(size=(1, gates, UNITS)).astype(np.float32),
    }
    given = ["y"] if only_steps else ["y", "last"]
    node = helper.make_node(
        kind, ["x", "w", "r", *(["", "", "h"] if states else [])], given, hidden_size=UNITS
    )
    outputs = [("y", "float32", [steps, 1, batch, UNITS]), ("last", "float32", [1, batch, UNITS])]
    state = [("h", "float32", [1, batch, UNITS])] if states else []
    inputs = [("x", "float32", [steps, batch, FEATURES]), *state]
    return Graph([node], inputs, outputs[: len(given)], constants)


def by_rows() -> Graph:
    """Rows first, as Keras exports them."""
    graph = recurrent(DYNAMIC)
    turn = {"perm": [1, 0, 2]}
    turned = helper.make_node("Transpose", ["rows"], ["x"], **turn)
    back = helper.make_node("Transpose", ["last"], ["z"], **turn)
    inputs = [("rows", "float32", ["batch", "steps", FEATURES])]
    return Graph(
        [turned, *graph.nodes, back], inputs, [("z", "float32", ["batch", 1, UNITS])], graph.constants
    )


def feeds_for(graph: Graph, steps: int, batch: int) -> dict[str, Any]:
    sizes = {"x": (steps, batch, FEATURES), "h": (1, batch, UNITS)}
    return {name: RANDOM.normal(size=sizes[name]).astype(np.float32) for name, _, _ in graph.inputs}


GRAPHS = {
    "steps, batch": (recurrent(DYNAMIC), 2),
    "with a state": (recurrent(DYNAMIC, states=True), 2),
    "all steps alone": (recurrent(DYNAMIC, only_steps=True), 2),
    "a batch of one": (recurrent(FIXED_BATCH), 1),
    "a batch of one with a state": (recurrent(FIXED_BATCH, states=True), 1),
    "GRU": (recurrent(DYNAMIC, kind="GRU"), 2),
    "RNN": (recurrent(DYNAMIC, kind="RNN"), 2),
}


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_request_gets_what_the_graph_returns(name: str, steps: int, tmp_path: Path) -> None:
    graph, batch = GRAPHS[name]
    feeds = feeds_for(graph, steps, batch)
    names = [output for output, _, _ in graph.outputs]
    right = dict(zip(names, onnxruntime.InferenceSession(graph.bytes()).run(names, feeds), strict=True))
    engine = open_engine(graph.save(tmp_path), "onnx")
    tensors = [
        {"name": key, "shape": value.shape, "datatype": "FP32", "data": value.ravel().tolist()}
        for key, value in feeds.items()
    ]
    for output in predict(engine, {"inputs": tensors}, "v2")["outputs"]:
        wanted = right[output["name"]]
        assert output["shape"] == list(wanted.shape)
        assert output["data"] == pytest.approx(wanted.ravel().tolist(), rel=1e-5)
    row = {key: value.tolist() for key, value in feeds.items()}
    response = predict(engine, {"input": row})["prediction"]
    for key, wanted in right.items():
        given = response[key] if isinstance(response, dict) else response
        assert np.allclose(given, wanted, rtol=1e-5)


def test_rows_that_stand_first_are_rows(tmp_path: Path) -> None:
    graph = by_rows()
    rows = RANDOM.normal(size=(3, 5, FEATURES)).astype(np.float32)
    (right,) = onnxruntime.InferenceSession(graph.bytes()).run(None, {"rows": rows})
    engine = open_engine(graph.save(tmp_path), "onnx")
    response = predict(engine, {"inputs": [{"rows": row} for row in rows.tolist()]})["predictions"]
    assert np.allclose(response, right, rtol=1e-5)
