"""What is in a tensor obeys the rules of single values: nothing wraps, is cut off or becomes infinite."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modelport_runtime.core.signature import Column
from modelport_runtime.core.types import Unfit
from modelport_runtime.core.values import converter

from tests.runtime.unit.core.conftest import fields, open_engine, predict, refused
from tests.support import onnx_graphs

FITTING = [
    ("uint8", [0, 255, 1.0]),
    ("int8", [-128, 127]),
    ("int64", [-(2**63), 2**63 - 1]),
    ("uint64", [0, 2**64 - 1]),
    ("float16", [65504, -65504.0, 0.1]),
    ("float32", [3.4e38, 16777217, 0.1]),
    ("float64", [1.7e308, 2**53, 2**60]),
    ("bool", [True, False]),
    ("object", ["a", ""]),
]
UNFIT = [
    *[("uint8", value, "must fit into uint8: 0 to 255") for value in (256, -1, 300.0)],
    ("uint8", 1.9, "must be a whole number, not a fraction"),
    ("uint8", True, "must be a whole number, not a boolean"),
    ("uint8", None, "must be a whole number, not null"),
    ("int64", 2**63, "must fit into a signed 64-bit integer"),
    ("uint64", 2**64, f"must fit into uint64: 0 to {2**64 - 1}"),
    ("uint64", -1, f"must fit into uint64: 0 to {2**64 - 1}"),
    ("float16", 65505, "must fit into float16: -65504.0 to 65504.0"),
    ("float32", -1e39, "must fit into float32: -3.4028234663852886e+38 to 3.4028234663852886e+38"),
    ("float64", 2**53 + 1, "is an integer that a 64-bit float cannot hold exactly"),
    ("float32", False, "must be a number, not a boolean"),
    ("float32", "1", "must be a number, not a string"),
    ("float32", {}, "must be a number, not an object"),
    ("float32", None, "must be a number, not null"),
    ("bool", 1, "must be true or false, not a number"),
    ("object", 1, "must be a string, not a number"),
]
KINDS: dict[str, Any] = {"f": "number", "b": "boolean", "O": "string", "i": "integer", "u": "integer"}


@pytest.mark.parametrize(("dtype", "values"), FITTING)
def test_what_fits_is_held_exactly(dtype: str, values: list[Any]) -> None:
    array = converter(Column("x", "tensor", dtype, shape=(None, 1)))([[value] for value in values])
    assert array.dtype == dtype
    assert array.tolist() == [[np.array(value, dtype).item()] for value in values]


@pytest.mark.parametrize(("dtype", "value", "message"), UNFIT)
def test_what_does_not_fit_is_refused_in_the_words_of_a_single_value(
    dtype: str, value: Any, message: str
) -> None:
    fine = dict(FITTING)[dtype][0]
    with pytest.raises(Unfit) as unfit:
        converter(Column("x", "tensor", dtype, shape=(2, None)))([[fine, fine], [fine, value]])
    assert (str(unfit.value), unfit.value.place) == (message, "[1][1]")
    if value is not None:
        with pytest.raises(Unfit) as alone:
            converter(Column("x", KINDS[np.dtype(dtype).kind], dtype))(value)
        assert str(alone.value) == message


def test_a_tensor_deeper_than_the_models_is_refused_whole() -> None:
    nested: Any = 1.0
    for _ in range(200):
        nested = [nested]
    with pytest.raises(Unfit, match="must have the shape 1×1, not 1×1×1"):
        converter(Column("x", "tensor", "float32", shape=(1, 1)))(nested)


@pytest.mark.parametrize("value", [256, -1, 1.9, 300, True, None, "1"])
def test_no_integer_wraps_on_its_way_to_the_model(value: Any, tmp_path: Path) -> None:
    engine = open_engine(onnx_graphs.cast("uint8", [None, 2, 2]).save(tmp_path), "onnx")
    assert predict(engine, {"input": {"x": [[255, 1], [1, 0]]}})["prediction"] == [[255, 1], [1, 0]]
    assert fields(refused(engine, {"input": {"x": [[1, 1], [value, 1]]}})) == ["input.x[1][0]"]
