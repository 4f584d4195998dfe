"""The fast reader and the describing one: what the fast one takes, the other takes with equal values."""

import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from modelport_runtime.core.rows import RowDecoder
from modelport_runtime.core.signature import Column, Signature, positional_columns
from modelport_runtime.core.typed_bodies import typed_reader
from modelport_runtime.core.types import Rejected, Request

BOTH = ("prediction", "probabilities")
SIGNATURES = {
    "named": Signature("classifier", (Column("a"), Column("b"), Column("cé"))),
    "odd names": Signature("regressor", (Column(""), Column('"'), Column("in put\n"))),
    "positional": Signature("regressor", positional_columns(3), positional=True, outputs=BOTH),
    "optional": Signature("regressor", positional_columns(3, optional=True)),
    "single precision": Signature("regressor", positional_columns(3, dtype="float32")),
    "mixed": Signature(
        "classifier",
        (
            Column("a", optional=True),
            Column("b", "integer", "int64"),
            Column("c", "boolean", "bool"),
            Column("d", "string", "object", values=("", "blue", "é\U0001f600")),
            Column("e", "any", "object", optional=True),
            Column("f", "integer", "category", values=(0, 7)),
            Column("g", "boolean", "bool", values=(True, False)),
        ),
        outputs=BOTH,
    ),
    "wide": Signature("regressor", tuple(Column(f"x{place}") for place in range(65))),
    "wide and positional": Signature("regressor", positional_columns(65), positional=True),
    "texts": Signature("classifier", None, input="text"),
}
NOT_TYPED = {
    "anything": Signature("generic", None),
    "no columns": Signature("generic", ()),
    "narrow": Signature("generic", (Column("a", "integer", "int8"),)),
    "mistyped": Signature("generic", (Column("a", "integer", "int64", values=(True, 2**70)),)),
    "lone surrogate": Signature("generic", (Column("a", "string", "object", values=("\ud800",)),)),
    "many values": Signature(
        "generic", (Column("a", "string", "object", values=tuple(map(str, range(1001)))),)
    ),
    "wide and mixed": Signature("generic", (*positional_columns(64), Column("b", "boolean", "bool"))),
    "wide with gaps": Signature("generic", positional_columns(65, optional=True)),
    "half": Signature("generic", (Column("a", dtype="float16"),)),
    "known numbers": Signature("generic", (Column("a", values=(0.5, 1.5)),)),
    "one boolean": Signature("generic", (Column("a", "boolean", "bool", values=(True,)),)),
    "tensor": Signature("generic", (Column("a", "tensor", shape=(2,)),)),
}
READERS = {
    name: (typed_reader(signature), RowDecoder(signature))
    for name, signature in (SIGNATURES | NOT_TYPED).items()
}


def assert_agree(body: bytes) -> None:
    for typed, described in READERS.values():
        taken = typed(body)
        if taken is not None:
            other = described.decode_described(body)
            assert (taken.single, taken.outputs) == (other.single, other.outputs)
            assert comparable(taken) == comparable(other)


def comparable(request: Request) -> list[Any]:
    """Return the rows so that NaN equals itself, -0.0 not 0.0 and true not 1; a number may be int or
    float.
    """
    return [[one(value) for value in row] if isinstance(row, list | tuple) else row for row in request.rows]


def one(value: Any) -> Any:
    if isinstance(value, float):
        return "missing" if math.isnan(value) else (value, math.copysign(1, value))
    return (value, math.copysign(1, value)) if type(value) is int else (type(value), value)


numbers = (
    st.integers(-5, 5)
    | st.integers(-(2**70), 2**70)
    | st.integers(2**53 - 2, 2**53 + 2)
    | st.integers(2**63 - 2, 2**63 + 2)
    | st.floats()
)
scalars = (
    st.none() | st.booleans() | numbers | st.sampled_from(["", "blue", "é\U0001f600", "\ud800"]) | st.text()
)
names = st.sampled_from(["a", "b", "c", "cé", "d", "e", "f", "g", "", '"', "in put\n", "x0", "x1", "x2"])
rows = (
    st.lists(numbers, min_size=3, max_size=3)
    | st.lists(scalars, max_size=8)
    | st.dictionaries(names, scalars, max_size=8)
    | st.fixed_dictionaries({"a": numbers, "b": numbers, "cé": numbers})
    | st.fixed_dictionaries(
        {"x0": scalars, "x1": numbers}, optional={"x2": numbers | st.none(), "x3": numbers}
    )
    | scalars
)
returns = st.lists(st.sampled_from(["prediction", "probabilities", "shap"]), max_size=3) | scalars
bodies = st.fixed_dictionaries(
    {}, optional={"input": rows, "inputs": st.lists(rows, max_size=3) | rows, "return": returns, "x": scalars}
)


@settings(max_examples=500, deadline=None)
@given(bodies, st.booleans())
def test_any_body_is_read_alike(body: Any, ascii_only: bool) -> None:
    text = json.dumps(body, ensure_ascii=ascii_only)
    assert_agree(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=500, deadline=None)
@given(bodies, st.data())
def test_a_damaged_body_is_read_alike(body: Any, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(body).encode())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place : place + data.draw(st.integers(0, 2))] = data.draw(
        st.binary(max_size=2) | st.sampled_from([b",", b"0", b".", b"e9", b"-", b"\\", b"null", b" ", b"}"])
    )
    assert_agree(bytes(raw))


@settings(max_examples=500, deadline=None)
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
@example("-0")
@example("9007199254740993")
@example("-9007199254740993")
@example("1e999")
@example("2.2250738585072011e-308")
def test_any_number_is_read_alike(number: str) -> None:
    assert_agree(f'{{"input": [{number}, 1, 2]}}'.encode())
    assert_agree(f'{{"input": {{"a": {number}, "b": 1, "cé": {number}}}}}'.encode())
    mixed = f'{{"input": [1, 2, true, "blue", {number}, 7, false]}}'
    assert_agree(mixed.encode())
    assert_agree(mixed.replace(" 2,", f" {number},").encode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"input": {"a": 1, "b": 2, "c\xc3\xa9": 3, "a": 4}}',
        b'{"input": {"a": "x", "b": 2, "c\xc3\xa9": 3, "a": 4}}',
        b'{"input": 5, "input": [1, 2, 3]}',
        b'{"input": [1, 2, 3], "input": 5}',
        b'{"inputs": [[1, 2, 3]], "inputs": []}',
        b'{"input": [1, 2, 3], "return": ["prediction"], "return": 7}',
        b'{"in\\u0070ut": {"\\u0061": 1, "b": 2, "c\\u00e9": 3}}',
        b'{"input": {"a": 1, "b": 2, "ce\\u0301": 3}}',
        b'{"input": {"a": 1, "b": 2, "c\xe9": 3}}',
        b'{"input": {"a": NaN, "b": 2, "c\xc3\xa9": Infinity}}',
        b'\xef\xbb\xbf{"input": [1, 2, 3]}',
        b'{"input": [1, 2, 3]}\x00',
        b'{"input": [1, 2, 3],}',
        b'{"input": [1, 2, 3,]}',
        b'{"input": [1, 2, 3]} {"input": [1, 2, 3]}',
        b'{"input":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"input": [1, 2, 3], "return": ' + b"[" * 100_000,
    ],
)
def test_odd_bodies_are_read_alike(body: bytes) -> None:
    assert_agree(body)


WIDE_ROW = {f"x{place}": place + 0.5 for place in range(65)}
GOOD_ROWS: dict[str, list[Any]] = {
    "named": [{"a": 1, "b": 2.5, "cé": -3}, {"cé": -3, "b": 2.5, "a": 1}, [1, 2.5, -3]],
    "odd names": [[1, 2, 3]],
    "positional": [[1, 2, 3]],
    "optional": [{"x0": 1}, {"x0": 1, "x1": None, "x2": 2}, [None, None, None], {}],
    "single precision": [[1, 2, 3], {"x0": 1, "x1": 2, "x2": 3}],
    "mixed": [
        {"a": 1, "b": 2, "c": True, "d": "blue", "e": "x", "f": 7, "g": False},
        {"b": 2, "c": True, "d": "", "f": 0, "g": True},
        [None, 2, True, "é\U0001f600", 1.5, 7, False],
    ],
    "wide": [WIDE_ROW, dict(reversed(WIDE_ROW.items())), list(WIDE_ROW.values())],
    "wide and positional": [list(WIDE_ROW.values())],
    "texts": ["", "some text"],
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_what_callers_send_is_taken_by_the_fast_reader(name: str) -> None:
    read = READERS[name][0]
    good = GOOD_ROWS[name]
    for body in ({"inputs": good}, *({"input": row, "return": ["prediction"]} for row in good)):
        raw = orjson.dumps(body)
        assert read(raw) is not None, raw
        assert_agree(raw)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["x0", "x64", "x65", "y"]), scalars),
    st.sampled_from(["x0", "x7", "none"]),
)
def test_wide_rows_are_read_alike(other: dict[str, Any], without: str) -> None:
    row = {name: value for name, value in (WIDE_ROW | other).items() if name != without}
    for body in ({"input": row}, {"inputs": [WIDE_ROW, row]}, {"inputs": [list(row.values())]}):
        assert_agree(json.dumps(body).encode())


@pytest.mark.parametrize("name", NOT_TYPED)
def test_a_model_whose_values_are_no_type_is_left_to_the_other(name: str) -> None:
    assert READERS[name][0](b'{"input": [1]}') is None


def test_outputs_are_given_in_one_order() -> None:
    read = READERS["positional"][0]
    for asked in (["prediction", "probabilities"], ["probabilities", "prediction"]):
        request = read(orjson.dumps({"input": [1, 2, 3], "return": asked}))
        assert request is not None
        assert request.outputs == BOTH


def test_what_a_model_lacks_is_not_taken() -> None:
    with pytest.raises(Rejected):
        READERS["named"][1].decode(b'{"input": [1, 2, 3], "return": ["probabilities"]}')
