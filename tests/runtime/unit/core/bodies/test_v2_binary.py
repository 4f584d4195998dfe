"""Tensors as bytes: they give what the same tensors give as JSON, and no size that they claim is believed."""

import json
import struct
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Failure, Prediction

from tests.support import models

DTYPES = {
    "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
    "INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "BOOL": "?",
}  # fmt: skip


def texts(*values: str) -> bytes:
    return b"".join(struct.pack("<I", len(text)) + text for text in map(str.encode, values))


def tensor(name: str, shape: list[int], datatype: str, size: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "parameters": {"binary_data_size": size}}


def infer(engine: Engine, inputs: list[Any], raw: bytes, **members: Any) -> Prediction | Failure:
    head = json.dumps({"inputs": inputs, **members}).encode()
    (result,) = engine.predict_many([Call("v2", head + raw, len(head))])
    return result


def reported(response: Prediction | Failure) -> dict[str, Any]:
    assert isinstance(response, Prediction), response
    head = response.body if response.json_bytes is None else response.body[: response.json_bytes]
    return {output["name"]: output for output in orjson.loads(head)["outputs"]}


def wrong(result: Prediction | Failure) -> list[str]:
    assert isinstance(result, Failure), result
    assert result.status == 422
    return [error["field"] for error in result.errors]


@pytest.mark.parametrize("datatype", [name for name in DTYPES if name != "BOOL"])
def test_a_matrix_of_any_numbers(datatype: str, iris: Any) -> None:
    trained = models.iris_logistic()
    matrix = trained.data.astype(DTYPES[datatype])
    sent = tensor("input", [150, 4], datatype, matrix.nbytes)
    output = reported(infer(iris, [sent], matrix.tobytes()))["predict"]
    assert output["data"] == trained.model.predict(matrix.astype(float)).tolist()


def test_a_tensor_per_column_with_texts_and_booleans(mixed: Any) -> None:
    frame = models.mixed_frame().dropna()[:20]
    sent, raw = [], b""
    for index, (name, column) in enumerate(frame.items()):
        datatype = {"O": "BYTES", "b": "BOOL", "i": "INT64", "f": "FP64"}[column.to_numpy().dtype.kind]
        part = texts(*column) if datatype == "BYTES" else column.to_numpy(DTYPES[datatype]).tobytes()
        sent.append(tensor(str(name), [20] if index % 2 else [20, 1], datatype, len(part)))
        raw += part
    wanted = models.mixed_pipeline().model.predict(frame).tolist()
    assert reported(infer(mixed, sent, raw))["predict"]["data"] == wanted


def test_texts_of_any_language(serve: Any) -> None:
    trained = models.text_classifier()
    given = ["", "ünïcode ✓", *trained.rows[:3]]
    raw = texts(*given)
    output = reported(infer(serve(trained), [tensor("text", [5, 1], "BYTES", len(raw))], raw))["predict"]
    assert output["data"] == trained.model.predict(given).tolist()


def test_json_and_bytes_may_be_mixed_in_one_request(mixed: Any) -> None:
    row = models.mixed_pipeline().rows[1]
    size = struct.pack("<d", row["petal_length"])
    kinds = {str: "BYTES", bool: "BOOL", int: "INT64", float: "FP64"}
    sent = [
        {"name": name, "shape": [1], "datatype": kinds[type(value)], "data": [value]}
        for name, value in row.items()
    ]
    sent[2] = tensor("petal_length", [1], "FP64", 8)
    assert reported(infer(mixed, sent, size))["predict"]["data"]


def test_outputs_come_as_they_are_requested(iris: Any) -> None:
    trained = models.iris_logistic()
    matrix = trained.data[:3]
    sent = [tensor("input", [3, 4], "FP64", matrix.nbytes)]
    asked = [
        {"name": "predict", "parameters": {"binary_data": False}},
        {"name": "predict_proba", "parameters": {"binary_data": True}},
    ]
    response = infer(iris, sent, matrix.tobytes(), outputs=asked, id="7")
    assert isinstance(response, Prediction)
    outputs = reported(response)
    assert outputs["predict"]["data"] == trained.model.predict(matrix).tolist()
    assert outputs["predict_proba"]["parameters"] == {"binary_data_size": 72}
    assert response.json_bytes is not None
    numbers = np.frombuffer(response.body[response.json_bytes :], "<f8").reshape(3, 3)
    assert (numbers == trained.model.predict_proba(matrix)).all()
    alone = infer(iris, sent, matrix.tobytes(), parameters={"binary_data_output": True})
    assert isinstance(alone, Prediction)
    assert list(reported(alone)) == ["predict"]
    assert alone.body[alone.json_bytes :] == texts(*trained.model.predict(matrix))


def test_nan_is_missing_where_the_model_takes_it(iris: Any, serve: Any) -> None:
    trained = models.iris_boosting_with_gaps()
    for dtype in ("FP16", "FP32", "FP64"):
        matrix = trained.data[:10].astype(DTYPES[dtype])
        sent = [tensor("input", [10, 4], dtype, matrix.nbytes)]
        output = reported(infer(serve(trained), sent, matrix.tobytes()))["predict"]
        assert output["data"] == trained.model.predict(matrix.astype(float)).tolist()
        assert wrong(infer(iris, sent, matrix.tobytes())) == ["inputs[0][3]", "inputs[5][3]"]


@pytest.mark.parametrize("given", [np.inf, -np.inf])
def test_infinity_is_refused(given: float, iris: Any) -> None:
    raw = np.array([1, 2, given, 4]).tobytes()
    assert wrong(infer(iris, [tensor("input", [1, 4], "FP64", 32)], raw)) == ["inputs[0].data[2]"]


SIZE = "inputs[0].parameters.binary_data_size"


@pytest.mark.parametrize(
    ("sent", "raw", "field"),
    [
        (tensor("input", [1, 4], "FP64", 32), b"\0" * 31, SIZE),
        (tensor("input", [1, 4], "FP64", 32), b"\0" * 33, "inputs"),
        (tensor("input", [1, 4], "FP64", 31), b"\0" * 31, "inputs[0].data"),
        (tensor("input", [2**40, 2**40], "FP64", 32), b"\0" * 32, "inputs[0].data"),
        (tensor("input", [1, 4], "FP64", -32), b"\0" * 32, SIZE),
        (tensor("input", [1, 4], "FP64", 2**70), b"\0" * 32, SIZE),
        (tensor("input", [1, 4], "FP64", "32"), b"\0" * 32, SIZE),
        (tensor("input", [1, 4], "FP64", True), b"\0" * 32, SIZE),
        ({**tensor("input", [1, 4], "FP64", 32), "data": [1, 2, 3, 4]}, b"\0" * 32, "inputs[0].data"),
        (tensor("input", [1, 4], "BF16", 8), b"\0" * 8, "inputs[0].datatype"),
        (tensor("input", [0, 4], "FP64", 0), b"\0", "inputs[0].shape"),
        (tensor("input", [1, 4], "BOOL", 4), b"\0\1\2\1", "inputs[0].data[2]"),
        (tensor("input", [2**40], "BYTES", 8), texts("abcd"), "inputs[0].data"),
        (tensor("input", [2], "BYTES", 8), texts("", "")[:-1] + b"\1", "inputs[0].data[1]"),
        (tensor("input", [1], "BYTES", 8), b"\xff\xff\xff\xffabcd", "inputs[0].data[0]"),
        (tensor("input", [1], "BYTES", 9), texts("abcd") + b"x", "inputs[0].data"),
        (tensor("input", [1], "BYTES", 6), b"\2\0\0\0\xff\xfe", "inputs[0].data[0]"),
        (
            {**tensor("input", [1], "FP64", None), "parameters": {"shared_memory_region": "r"}},
            b"x",
            "inputs[0].parameters",
        ),
    ],
)
def test_a_size_that_is_not_so_is_422(sent: dict[str, Any], raw: bytes, field: str, iris: Any) -> None:
    assert field in wrong(infer(iris, [sent], raw))


@pytest.mark.parametrize("asked", [{"classification": 2}, {"shared_memory_region": "r"}, {"binary_data": 1}])
def test_an_unsupported_parameter_of_an_output_is_422(asked: dict[str, Any], iris: Any) -> None:
    sent = tensor("input", [1, 4], "FP64", 32)
    result = infer(iris, [sent], bytes(32), outputs=[{"name": "predict", "parameters": asked}])
    assert wrong(result) == [f"outputs[0].parameters.{next(iter(asked))}"]


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60),
    st.lists(
        st.builds(
            tensor,
            st.sampled_from(["input", "x0"]),
            st.lists(st.integers(0, 5) | st.integers(), max_size=3),
            st.sampled_from([*DTYPES, "BYTES"]),
            st.integers(0, 40) | st.integers(),
        ),
        max_size=3,
    ),
)
def test_any_bytes_are_a_response_or_a_refusal(iris: Any, raw: bytes, sent: list[Any]) -> None:
    result = infer(iris, sent, raw)
    assert isinstance(result, Prediction) or result.status in (400, 422)


@pytest.mark.parametrize("datatype", ["INT64", "UINT64"])
def test_an_integer_that_no_float_holds_is_refused_from_the_first_on(datatype: str, iris: Any) -> None:
    exact, rounded = (np.full(4, 2**53 + more, DTYPES[datatype]) for more in (0, 1))
    sent = tensor("input", [1, 4], datatype, exact.nbytes)
    reported(infer(iris, [sent], exact.tobytes()))
    assert wrong(infer(iris, [sent], rounded.tobytes()))[0] == "inputs[0][0]"
