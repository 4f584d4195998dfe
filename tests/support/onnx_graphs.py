"""Small ONNX graphs, made node by node."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

TensorInfo = tuple[str, str, Sequence[int | str | None] | None]
"""Name, NumPy dtype ("str" for strings) and shape."""


@dataclass
class Graph:
    nodes: list[Any]
    inputs: list[TensorInfo]
    outputs: list[Any]
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    opset: int = 17

    def bytes(self) -> bytes:
        graph = helper.make_graph(
            self.nodes,
            "graph",
            [_info(one) for one in self.inputs],
            [_info(one) if isinstance(one, tuple) else one for one in self.outputs],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )
        versions = [helper.make_opsetid("", self.opset), helper.make_opsetid("ai.onnx.ml", 3)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=9)
        data: bytes = model.SerializeToString()
        return data

    def save(self, folder: Path) -> Path:
        path = folder / "model"
        path.write_bytes(self.bytes())
        return path


def _info(info: TensorInfo) -> Any:
    name, dtype, shape = info
    return helper.make_tensor_value_info(name, element_type(dtype), shape)


def element_type(dtype: str) -> int:
    """Return the number that ONNX has for a NumPy dtype."""
    if dtype == "str":
        return TensorProto.STRING
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def cast(dtype: str, shape: Sequence[int | str | None]) -> Graph:
    """Gives what it gets, as floats."""
    node = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)
    return Graph([node], [("x", dtype, shape)], [("y", "float32", shape)])
