"""Graphs that make no session, or whose outputs no caller could read, are refused with the cure."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from modelport_runtime.core.backends.onnx.session import refusal
from modelport_runtime.core.types import LoadError
from onnx import TensorProto, helper

from tests.runtime.unit.core.conftest import open_engine
from tests.support.onnx_graphs import Graph

ROWS = ("x", "float32", [None, 2])
RESULTS = ("y", "float32", [None, 2])


def graph(operator: str, *, domain: str = "", dtype: str = "float32", ir: int = 9, opset: int = 17) -> bytes:
    wide = [helper.make_node("Cast", ["x"], ["y"], to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))]
    nodes = wide if operator == "Cast" else [helper.make_node(operator, ["x"], ["y"], domain=domain)]
    model = onnx.load_from_string(Graph(nodes, [ROWS], [("y", dtype, [None, 2])]).bytes())
    model.ir_version, model.opset_import[0].version = ir, opset
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, 1))
    data: bytes = model.SerializeToString()
    return data


def external() -> bytes:
    weights = {"w": np.eye(2, dtype=np.float32)}
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    model = onnx.load_from_string(Graph([node], [ROWS], [RESULTS], weights).bytes())
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    data: bytes = model.SerializeToString()
    return data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (external(), "Save it as one file: onnx.save_model"),
        (graph("Own", domain="com.example"), "has no operator com.example:Own. Custom operators need"),
        (graph("Relu", opset=1), r"has no operator Relu\(1\)"),
        (graph("Relu", ir=99), "Unsupported model IR version: 99"),
        (graph("Relu", opset=999), r"\(Opset 999\). Export it with an older opset_version"),
        (graph("Cast", dtype="complex64"), "does not compute with the type complex64"),
        (graph("Cast", dtype="bfloat16"), r"The ONNX output y is a tensor\(bfloat16\)"),
        (graph("Cast", dtype="float8_e4m3fn"), r"The ONNX output y is a tensor\(float8e4m3fn\)"),
    ],
)
def test_the_reason_says_what_to_do(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(data)
    with pytest.raises(LoadError, match=words) as raised:
        open_engine(path, "onnx")
    assert raised.value.reason == "UnsupportedFormat"


def test_a_locale_that_is_missing_is_named() -> None:
    said = "Failed to construct locale with name:en_US.UTF-8:locale::facet name not valid"
    assert "needs the locale en_US.UTF-8, which" in refusal(RuntimeError(said)).message
