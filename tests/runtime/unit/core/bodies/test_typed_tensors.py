"""The fast reader of infer requests and the describing one: what the fast one takes, the other takes too."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_runtime.core.rows import RowDecoder
from modelport_runtime.core.signature import Column, Signature, positional_columns
from modelport_runtime.core.types import Call, Rejected
from modelport_runtime.core.v2 import Protocol

SIGNATURES = {
    "positional": Signature("regressor", positional_columns(2), positional=True),
    "named": Signature("classifier", (Column("a"), Column("b")), outputs=("prediction", "probabilities")),
    "one column": Signature("regressor", (Column("a"),)),
    "single precision": Signature("regressor", positional_columns(2, dtype="float32"), positional=True),
}
NOT_TYPED = {
    "optional": Signature("regressor", positional_columns(2, optional=True), positional=True),
    "strings": Signature("regressor", (Column("a", "string", "object"), Column("b"))),
    "texts": Signature("classifier", None, input="text"),
    "anything": Signature("generic", None),
}
PROTOCOLS = {
    name: Protocol(signature, RowDecoder(signature), model="m", version="v")
    for name, signature in (SIGNATURES | NOT_TYPED).items()
}


def assert_agree(body: bytes) -> None:
    for protocol in PROTOCOLS.values():
        taken = protocol._read_matrix(body)
        if taken is not None:
            assert read(protocol.decode, body) == read(protocol.decode_described, body)


def read(decode: Any, body: bytes) -> Any:
    """Return all that was read, or the names of outputs that the model does not have."""
    try:
        request, echo = decode(Call("v2", body))
    except Rejected as refused:
        names = [error["field"] for error in refused.failure.errors]
        assert all(name.startswith("outputs") for name in names)
        return names
    return request.single, request.outputs, echo, signed(request.rows)


def signed(rows: Any) -> Any:
    return [[(value, math.copysign(1, value)) for value in row] for row in rows]


numbers = st.integers(-3, 3) | st.floats() | st.integers(2**53 - 2, 2**53 + 2) | st.integers(-(2**70), 2**70)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=3)
datas = (
    st.lists(numbers, min_size=2, max_size=2)
    | st.lists(st.lists(numbers, min_size=2, max_size=2), min_size=1, max_size=2)
    | st.lists(scalars | st.lists(scalars | st.lists(numbers, max_size=2), max_size=4), max_size=4)
    | scalars
)
tensors = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["input", "a"]) | scalars,
        "shape": st.sampled_from([[1, 2], [2, 2], [2, 1], [1, 1], [2], [1, 2, 1]])
        | st.lists(scalars, max_size=3),
        "datatype": st.sampled_from(["FP64", "FP32", "INT64", "BYTES", "BOOL"]) | scalars,
        "data": datas,
    },
    optional={"parameters": st.dictionaries(st.text(max_size=3), scalars, max_size=1)},
)
outputs = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["predict", "predict_proba", "x"])}, optional={"y": scalars}
    )
    | scalars,
    max_size=3,
)
bodies = st.fixed_dictionaries(
    {"inputs": st.lists(tensors, min_size=1, max_size=1) | st.lists(tensors, max_size=2) | scalars},
    optional={"id": scalars, "outputs": outputs | scalars, "parameters": scalars},
)


@settings(max_examples=500, deadline=None)
@given(bodies)
def test_any_body_is_read_alike(body: Any) -> None:
    assert_agree(json.dumps(body).encode())


@settings(max_examples=300, deadline=None)
@given(bodies, st.data())
def test_a_damaged_body_is_read_alike(body: Any, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(body).encode())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place : place + data.draw(st.integers(0, 2))] = data.draw(
        st.binary(max_size=2) | st.sampled_from([b",", b"0", b".", b"e9", b"-", b"[", b"]", b"null", b"}"])
    )
    assert_agree(bytes(raw))


@pytest.mark.parametrize("name", ["input", "a", "b"])
@pytest.mark.parametrize(
    ("shape", "data"),
    [
        ([2, 2], [[1, 2, 3], [4]]),
        ([2, 2], [[1, 2, 3, 4]]),
        ([2, 2], [1, [2, 3], 4]),
        ([2, 2], [1, 2, 3]),
        ([2, 2], [[1, 2], [3]]),
        ([1, 2], [[1, 2], [3, 4]]),
        ([2, 1], [[1], [2]]),
        ([2, 1], [1, 2]),
        ([2], [1, 2]),
        ([0, 2], []),
        ([-1, -2], [1, 2]),
        ([2, 2, 1], [[[1], [2]], [[3], [4]]]),
    ],
)
def test_odd_shapes_are_read_alike(name: str, shape: list[int], data: list[Any]) -> None:
    tensor = {"name": name, "shape": shape, "datatype": "FP64", "data": data}
    assert_agree(json.dumps({"inputs": [tensor]}).encode())


@pytest.mark.parametrize("name", SIGNATURES)
@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("more", [{}, {"id": "7"}, {"id": None, "outputs": [{"name": "predict"}]}])
def test_what_clients_send_is_taken_by_the_fast_reader(name: str, nested: bool, more: dict[str, Any]) -> None:
    width = 1 if name == "one column" else 2
    rows = [[1.5] * width, [2] * width]
    data = rows if nested else [value for row in rows for value in row]
    tensor = {"name": "input", "shape": [2, width], "datatype": "FP64", "data": data}
    raw = json.dumps({"inputs": [tensor], **more}).encode()
    assert PROTOCOLS[name]._read_matrix(raw) is not None
    assert_agree(raw)


@pytest.mark.parametrize("name", NOT_TYPED)
def test_other_models_are_left_to_the_other_reader(name: str) -> None:
    tensor = {"name": "input", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}
    assert PROTOCOLS[name]._read_matrix(json.dumps({"inputs": [tensor]}).encode()) is None
