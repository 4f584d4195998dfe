"""Rows of ONNX graphs of all shapes: many at once are answered as the graph itself answers each alone."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from modelport_runtime.core.responses import plain
from modelport_runtime.core.types import Call, Failure, LoadError, Prediction
from onnx import TensorProto, helper

from tests.runtime.unit.core.conftest import fields, open_engine, predict, refused
from tests.support.onnx_graphs import Graph, cast


def first(given: list[Any]) -> Any:
    return plain(given[0][0])


def number(given: list[Any]) -> Any:
    return plain(given[0][0][0])


def whole(given: list[Any]) -> Any:
    return plain(given[0])


@dataclass(frozen=True)
class Case:
    """`feeds` of each of `rows` alone; `answer` finds the prediction in what the graph gives for them."""

    graph: Graph
    rows: list[Any]
    feeds: list[dict[str, Any]]
    answer: Callable[[list[Any]], Any]


def floats(*values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def node(kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> Any:
    return helper.make_node(kind, inputs, outputs, **attributes)


def unary(kind: str, dtype: str, taken: list[int | None], given: list[int | None]) -> Graph:
    return Graph([node(kind, ["x"], ["y"])], [("x", dtype, taken)], [("y", dtype, given)])


def product(batch: int | str | None) -> Graph:
    constants = {"w": floats([1], [10])}
    return Graph(
        [node("MatMul", ["x", "w"], ["y"])],
        [("x", "float32", [batch, 2])],
        [("y", "float32", [batch, 1])],
        constants,
    )


def sum_of_sequence() -> Graph:
    return Graph(
        [
            node("Cast", ["ids"], ["f"], to=TensorProto.FLOAT),
            node("ReduceSum", ["f", "axes"], ["y"], keepdims=1),
        ],
        [("ids", "int64", ["b", "s", 1])],
        [("y", "float32", ["b", 1, 1])],
        {"axes": np.array([1])},
    )


def reduction(out_shape: Any, keepdims: int) -> Graph:
    """The mean of all: of several rows it is that of none of them."""
    return Graph(
        [node("ReduceMean", ["x"], ["y"], keepdims=keepdims)],
        [("x", "float32", [None, 2])],
        [("y", "float32", out_shape)],
    )


def two_inputs(second: list[int | None]) -> Graph:
    return Graph(
        [node("Mul", ["x", "scale"], ["y"])],
        [("x", "float32", [None, 2]), ("scale", "float32", second)],
        [("y", "float32", [None, 2])],
    )


PAIRS = [[1, 2], [3, 4], [5, 6]]
MATRIX = [{"x": floats(pair)} for pair in PAIRS]
SEQUENCES = [[[1], [2]], [[5]], [[7], [8]], [[1], [2], [3]]]
CASES = {
    "free batch": Case(product(None), PAIRS, MATRIX, number),
    "batch of one": Case(product(1), PAIRS, MATRIX, number),
    "batch of four": Case(
        product(4), PAIRS, [{"x": floats(*[pair] * 4)} for pair in PAIRS], number
    ),
    "batch of two": Case(product(2), PAIRS, [{"x": floats(*[pair] * 2)} for pair in PAIRS], number),
    "sequences": Case(
        sum_of_sequence(),
        [{"ids": ids} for ids in SEQUENCES],
        [{"ids": np.array([ids])} for ids in SEQUENCES],
        first,
    ),
    "rows of any length": Case(
        cast("float32", [None, None]), [[1], [2, 3], [4]],
        [{"x": floats(row)} for row in ([1], [2, 3], [4])], first,
    ),
    "no batch at all": Case(
        cast("float32", [3]), [{"x": [1, 2, 3]}, {"x": [4, 5, 6]}],
        [{"x": floats(1, 2, 3)}, {"x": floats(4, 5, 6)}], whole,
    ),
    "a scalar": Case(
        cast("float64", []), [{"x": 1.5}, {"x": 2.5}], [{"x": np.array(1.5)}, {"x": np.array(2.5)}], whole
    ),
    "a scalar out": Case(reduction([], 0), PAIRS, MATRIX, whole),
    "one out for all": Case(reduction([1, 1], 1), PAIRS, MATRIX, number),
    "a second input without batch": Case(
        two_inputs([]),
        [{"x": pair, "scale": place} for place, pair in enumerate(PAIRS)],
        [{"x": floats(pair), "scale": np.array(place, np.float32)} for place, pair in enumerate(PAIRS)],
        first,
    ),
    "a second input of one": Case(
        two_inputs([1]),
        [{"x": pair, "scale": place} for place, pair in enumerate(PAIRS)],
        [{"x": floats(pair), "scale": floats(place)} for place, pair in enumerate(PAIRS)],
        first,
    ),
    "rows last": Case(
        unary("Transpose", "float32", [None, 2], [2, None]), PAIRS, MATRIX,
        lambda given: plain(given[0][:, 0]),
    ),
    "found places": Case(
        Graph([node("NonZero", ["x"], ["y"])], [("x", "float32", [None, 2])], [("y", "int64", [2, None])]),
        [[0, 1], [1, 1]], [{"x": floats([0, 1])}, {"x": floats([1, 1])}], whole,
    ),
    **{
        f"{dtype} tensors": Case(
            unary("Identity", dtype, [None, 1, 2], [None, 1, 2]),
            [{"x": [values]}], [{"x": np.array([[values]], dtype)}], first,
        )
        for dtype, values in {
            "uint8": [0, 255], "int16": [-1, 1], "uint64": [1, 2**64 - 1], "float16": [0.1, 65504],
            "float64": [0.1, 1e300], "bool": [True, False],
        }.items()
    },
    "string tensors": Case(
        unary("Identity", "str", [None, 2, 1], [None, 2, 1]),
        [{"x": [["a"], ["b"]]}], [{"x": np.array([[["a"], ["b"]]], dtype=object)}], first,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CASES))
def test_rows_together_get_the_predictions_of_each_alone(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    path = case.graph.save(tmp_path)
    session = onnxruntime.InferenceSession(path.read_bytes())
    wanted = [case.answer(session.run(None, feeds)) for feeds in case.feeds]
    engine = open_engine(path, "onnx")
    assert predict(engine, {"inputs": case.rows})["predictions"] == wanted
    assert [predict(engine, {"input": row})["prediction"] for row in case.rows] == wanted


def test_a_row_that_the_graph_refuses_fails_its_own_request_alone(tmp_path: Path) -> None:
    weights = {"w": floats([1], [10])}
    graph = Graph(
        [node("MatMul", ["x", "w"], ["y"])],
        [("x", "float32", [None, None])],
        [("y", "float32", [None, 1])],
        weights,
    )
    engine = open_engine(graph.save(tmp_path), "onnx", {"input": [1, 2]})
    assert predict(engine, {"inputs": PAIRS})["predictions"] == [21, 43, 65]
    assert fields(refused(engine, {"inputs": [[1, 2], [1, True]]})) == ["inputs[1][1]"]
    calls = [Call("native", body) for body in (b'{"input":[1,2]}', b'{"input":[1,2,3]}', b'{"input":[3,4]}')]
    good, bad, other = engine.predict_many(calls)
    assert isinstance(bad, Failure)
    assert bad.reason == "ModelError"
    assert isinstance(good, Prediction)
    assert isinstance(other, Prediction)


def test_a_fixed_batch_whose_output_has_no_rows_is_refused_with_words(tmp_path: Path) -> None:
    graph = Graph(
        [node("Identity", ["x"], ["y"]), node("Unique", ["x"], ["z"])],
        [("x", "float32", [3, 2])],
        [("y", "float32", [3, 2]), ("z", "float32", [None])],
    )
    with pytest.raises(LoadError, match="The ONNX output z has no 3 rows") as refusal:
        open_engine(graph.save(tmp_path), "onnx")
    assert refusal.value.reason == "UnsupportedFormat"
