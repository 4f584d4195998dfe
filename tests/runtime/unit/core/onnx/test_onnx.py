"""ONNX files: labels, probabilities as maps or tensors, one input a column, nested inputs, texts."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from tests.runtime.unit.core.conftest import fields, open_engine, predict, refused
from tests.support import models


def own_outputs(path: Path, feeds: dict[str, Any]) -> list[Any]:
    session = onnxruntime.InferenceSession(path.read_bytes())
    response: list[Any] = session.run(None, feeds)
    return response


@pytest.mark.parametrize("zipmap", [True, False])
def test_a_classifier_gives_labels_and_probabilities_by_class(zipmap: bool, tmp_path: Path) -> None:
    trained = models.iris_logistic()
    path = models.save_onnx(trained, tmp_path, zipmap=zipmap)
    engine = open_engine(path, "onnx")
    response = predict(engine, {"inputs": trained.rows, "return": ["prediction", "probabilities"]})
    labels, probabilities = own_outputs(path, {"X": trained.data.astype(np.float32)})
    assert response["predictions"] == labels.tolist()
    wanted = [list(row.values()) if zipmap else row for row in probabilities]
    assert [list(row) for row in response["probabilities"]] == [["setosa", "versicolor", "virginica"]] * len(
        labels
    )
    given = np.array([list(row.values()) for row in response["probabilities"]], dtype=np.float32)
    assert np.array_equal(given, np.array(wanted, dtype=np.float32))


def test_integer_labels_are_read_from_the_file(tmp_path: Path) -> None:
    trained = models.wine_int_labels()
    engine = open_engine(models.save_onnx(trained, tmp_path, zipmap=False), "onnx")
    assert engine.signature.classes == (0, 10, 20)


def test_a_regressor_gives_one_number_a_row(tmp_path: Path) -> None:
    trained = models.diabetes_linear()
    path = models.save_onnx(trained, tmp_path)
    response = predict(open_engine(path, "onnx"), {"inputs": trained.rows})
    wanted = own_outputs(path, {"X": trained.data.astype(np.float32)})[0].ravel()
    assert np.array_equal(np.array(response["predictions"], dtype=np.float32), wanted)


def test_one_input_per_column_is_matched_by_name(tmp_path: Path) -> None:
    trained = models.iris_logistic_named()
    narrow = models.Trained(trained.model, trained.data.astype(np.float32))
    path = models.save_onnx(narrow, tmp_path)
    engine = open_engine(path, "onnx")
    response = predict(engine, {"inputs": [dict(reversed(row.items())) for row in trained.rows]})
    feeds = {name: narrow.data[[name]].to_numpy() for name in models.IRIS_FIELDS}
    assert response["predictions"] == own_outputs(path, feeds)[0].tolist()
    assert fields(refused(engine, {"input": {"sepal_length": 1}})) == [
        f"input.{n}" for n in models.IRIS_FIELDS[1:]
    ]


def image_model(path: Path) -> Path:
    """Sums a 2 × 3 picture per row, and scales it: two named outputs."""
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [None, 2, 3])
    total = helper.make_tensor_value_info("total", TensorProto.FLOAT, [None])
    double = helper.make_tensor_value_info("double", TensorProto.FLOAT, [None, 2, 3])
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2])
    nodes = [
        helper.make_node("ReduceSum", ["picture", "axes"], ["total"], keepdims=0),
        helper.make_node("Add", ["picture", "picture"], ["double"]),
    ]
    graph = helper.make_graph(nodes, "sum", [picture], [total, double], [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(model)
    return path


def test_a_named_input_may_hold_nested_lists(tmp_path: Path) -> None:
    engine = open_engine(image_model(tmp_path / "model"), "onnx")
    response = predict(engine, {"input": {"picture": [[1, 2, 3], [4, 5, 6]]}})
    assert response["prediction"] == {"total": 21.0, "double": [[2, 4, 6], [8, 10, 12]]}


@pytest.mark.parametrize(
    ("picture", "place", "message"),
    [
        ([[1, 2], [3, 4]], "", "must have the shape 2×3, not 2×2"),
        ([[1, 2, 3], [4, 5]], "", "must be nested lists of equal lengths"),
        ([["a", "b", "c"], ["d", "e", "f"]], "[0][0]", "must be a number, not a string"),
        ([[1, 2, 3], [4, True, 6]], "[1][1]", "must be a number, not a boolean"),
        ("text", "", "must have the shape 2×3, not a single value"),
        (7, "", "must have the shape 2×3, not a single value"),
    ],
)
def test_a_tensor_of_another_shape_is_refused(picture: Any, place: str, message: str, tmp_path: Path) -> None:
    engine = open_engine(image_model(tmp_path / "model"), "onnx")
    failure = refused(engine, {"input": {"picture": picture}})
    assert failure.errors == [{"field": f"input.picture{place}", "message": message}]
    assert failure.status == 422


def test_a_model_of_texts_takes_bare_strings(tmp_path: Path) -> None:
    text = helper.make_tensor_value_info("text", TensorProto.STRING, [None, 1])
    number = helper.make_tensor_value_info("number", TensorProto.INT64, [None, 1])
    node = helper.make_node(
        "LabelEncoder", ["text"], ["number"], domain="ai.onnx.ml",
        keys_strings=["one", "two"], values_int64s=[1, 2], default_int64=-1,
    )  # fmt: skip
    graph = helper.make_graph([node], "words", [text], [number])
    versions = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 2)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    (tmp_path / "model").write_bytes(model.SerializeToString())
    engine = open_engine(tmp_path / "model", "onnx")
    assert engine.signature.input == "text"
    assert predict(engine, {"inputs": ["two", "one", "three"]})["predictions"] == [2, 1, -1]


@pytest.mark.parametrize("batch", [1, 2])
def test_a_fixed_batch_takes_any_number_of_rows_and_says_so(batch: int, tmp_path: Path) -> None:
    given = helper.make_tensor_value_info("given", TensorProto.FLOAT, [batch, 3])
    double = helper.make_tensor_value_info("double", TensorProto.FLOAT, [batch, 3])
    node = helper.make_node("Add", ["given", "given"], ["double"])
    graph = helper.make_graph([node], "double", [given], [double])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (tmp_path / "model").write_bytes(model.SerializeToString())
    engine = open_engine(tmp_path / "model", "onnx")

    reported = engine.v2_metadata()
    assert [each["shape"] for each in (*reported["inputs"], *reported["outputs"])] == [[-1, 3], [-1, 3]]
    rows = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    tensor = {"name": "given", "shape": [3, 3], "datatype": "FP32", "data": rows}
    (output,) = predict(engine, {"inputs": [tensor]}, "v2")["outputs"]
    assert (output["shape"], output["data"]) == ([3, 3], [2, 4, 6, 8, 10, 12, 14, 16, 18])
