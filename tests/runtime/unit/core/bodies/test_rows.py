"""Every bad body is a 400 or a 422 that names the field; every good one means what it says."""

import math
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_runtime.core.rows import MAX_ERRORS, RowDecoder
from modelport_runtime.core.signature import Column, Signature, positional_columns
from modelport_runtime.core.types import Rejected

NAMED = RowDecoder(
    Signature(
        "classifier",
        (
            Column("length"),
            Column("count", "integer", "int64"),
            Column("wet", "boolean", "bool"),
            Column("color", "string", "object", values=("blue", "red")),
            Column("note", "string", "object", optional=True),
            Column("extra", "any", "object"),
        ),
        outputs=("prediction", "probabilities"),
    )
)
GOOD = {"length": 1.5, "count": 2, "wet": True, "color": "red", "note": "x", "extra": 1}
POSITIONAL = RowDecoder(Signature("regressor", positional_columns(3), positional=True))
TEXTS = RowDecoder(Signature("classifier", None, input="text"))
ANYTHING = RowDecoder(Signature("generic", None))
DECODERS = [NAMED, POSITIONAL, TEXTS, ANYTHING]


def failure_of(decoder: RowDecoder, body: Any) -> Any:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    with pytest.raises(Rejected) as caught:
        decoder.decode(raw)
    return caught.value.failure


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("length", "5.1", "must be a number, not a string"),
        ("length", None, "must not be null: the model takes no missing values here"),
        ("length", [1], "must be a number, not a list"),
        ("length", 2**53 + 1, "is an integer that a 64-bit float cannot hold exactly"),
        ("count", 1.5, "must be a whole number, not a fraction"),
        ("count", 2**63, "must fit into a signed 64-bit integer"),
        ("count", 1e300, "must fit into a signed 64-bit integer"),
        ("wet", 1, "must be true or false, not a number"),
        ("wet", "true", "must be true or false, not a string"),
        ("color", "green", "is not one of the values that the model knows: 'blue', 'red'"),
        ("color", 7, "must be a string, not a number"),
        ("note", 7, "must be a string, not a number"),
        ("extra", None, "must not be null: the model takes no missing values here"),
        ("extra", {}, "must be a single value, not an object"),
    ],
)
def test_an_ill_typed_value_is_named(name: str, value: Any, message: str) -> None:
    failure = failure_of(NAMED, {"input": {**GOOD, name: value}})
    assert (failure.status, failure.errors) == (422, [{"field": f"input.{name}", "message": message}])
    place = list(GOOD).index(name)
    in_list = failure_of(NAMED, {"inputs": [GOOD, list({**GOOD, name: value}.values())]})
    assert in_list.errors == [{"field": f"inputs[1][{place}]", "message": message}]


def test_all_problems_of_all_rows_are_listed() -> None:
    row = {"length": "a", "count": 0.5, "wet": False, "color": "red", "width": 1, "extra": 1}
    failure = failure_of(NAMED, {"inputs": [GOOD, row, 5, {}]})
    assert [error["field"] for error in failure.errors] == [
        "inputs[1].width",
        "inputs[1].length",
        "inputs[1].count",
        "inputs[2]",
        *(f"inputs[3].{name}" for name in ("length", "count", "wet", "color", "extra")),
    ]


def test_errors_are_bounded_however_many_there_are() -> None:
    failure = failure_of(POSITIONAL, {"inputs": [["a", "b", "c"]] * 1000})
    assert len(failure.errors) == MAX_ERRORS
    assert "2999 more" in failure.detail


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nonsense", b'{"input": [NaN, 1, 2]}',
        b'{"input": [Infinity, 1, 2]}', b'{"input": [1e400, 1, 2]}',
        b"\xff\xfe", b"[" * 100_000, b'{"input":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)  # fmt: skip
def test_what_is_not_json_is_400(body: bytes) -> None:
    assert failure_of(POSITIONAL, body).status == 400


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ([], ["body"]),
        (5, ["body"]),
        (None, ["body"]),
        ({}, ["input"]),
        ({"input": [1, 2, 3], "inputs": [[1, 2, 3]]}, ["input"]),
        ({"input": [1, 2, 3], "foo": 1, "bar": 2}, ["bar", "foo"]),
        ({"inputs": []}, ["inputs"]),
        ({"inputs": {}}, ["inputs"]),
        ({"inputs": None}, ["inputs"]),
        ({"input": None}, ["input"]),
        ({"input": 5}, ["input"]),
        ({"input": "text"}, ["input"]),
        ({"input": []}, ["input"]),
        ({"input": [1, 2]}, ["input"]),
        ({"input": [1, 2, 3, 4]}, ["input"]),
        ({"input": {"a": 1, "b": 2}}, ["input"]),
        ({"input": {"a": 1, "b": 2, "c": "x"}}, ["input.c"]),
        ({"inputs": [[1, 2, 3], [1, None, 3]]}, ["inputs[1][1]"]),
        ({"input": [1, 2, 3], "return": []}, ["return"]),
        ({"input": [1, 2, 3], "return": "prediction"}, ["return"]),
        ({"input": [1, 2, 3], "return": ["shap"]}, ["return"]),
        ({"input": [1, 2, 3], "return": [{}]}, ["return"]),
        ({"input": [1, 2, 3], "return": ["probabilities"]}, ["return"]),
    ],
)
def test_a_body_of_the_wrong_form_is_422(body: Any, fields: list[str]) -> None:
    failure = failure_of(POSITIONAL, body)
    assert failure.status == 422
    assert [error["field"] for error in failure.errors] == fields


def test_texts_are_bare_strings() -> None:
    assert TEXTS.decode(b'{"inputs": ["a", ""]}').rows == ["a", ""]
    assert failure_of(TEXTS, {"inputs": ["a", 1]}).errors[0]["field"] == "inputs[1]"


def test_a_nameless_model_takes_an_objects_values_in_their_order() -> None:
    assert POSITIONAL.decode(b'{"input": {"z": 1, "a": 2, "m": 3}}').rows == [[1, 2, 3]]


def test_a_missing_optional_value_is_nan_however_it_is_missing() -> None:
    without = {name: value for name, value in GOOD.items() if name != "note"}
    for row in (without, {**GOOD, "note": None}):
        value = NAMED.decode(orjson.dumps({"input": row})).rows[0][4]
        assert isinstance(value, float)
        assert math.isnan(value)


def test_a_narrow_column_refuses_what_it_cannot_hold() -> None:
    columns = (Column("tiny", "integer", "int8"), Column("single", dtype="float32"))
    decoder = RowDecoder(Signature("generic", columns))
    failure = failure_of(decoder, {"input": {"tiny": 128, "single": 1e39}})
    assert [error["field"] for error in failure.errors] == ["input.tiny", "input.single"]
    assert decoder.decode(b'{"input": [127, 3e38]}').rows == [[127, 3e38]]


any_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=15,
)
near_bodies = st.dictionaries(st.sampled_from(["input", "inputs", "return", "other"]), any_json, max_size=3)


@settings(max_examples=200, deadline=None)
@given(any_json | near_bodies)
def test_any_json_is_read_or_refused_and_never_raises_else(body: Any) -> None:
    try:
        raw = orjson.dumps(body)
    except orjson.JSONEncodeError:  # a lone surrogate
        return
    named = []
    for decoder in DECODERS:
        try:
            assert decoder.decode(raw).rows
        except Rejected as refused:
            named.append(refused.failure.errors)
    assert all(named)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=50))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(Rejected):
        assert ANYTHING.decode(body).rows


good_rows = st.fixed_dictionaries(
    {
        "length": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
        "count": st.integers(-(2**63), 2**63 - 1),
        "wet": st.booleans(),
        "color": st.sampled_from(["blue", "red"]),
        "note": st.text(st.characters(codec="utf-8")),
        "extra": st.booleans() | st.integers(-5, 5),
    }
)


@settings(max_examples=100, deadline=None)
@given(good_rows, st.permutations(list(GOOD)))
def test_a_valid_row_keeps_its_values_in_any_key_order(row: dict[str, Any], order: list[str]) -> None:
    shuffled = {name: row[name] for name in order}
    values = [row[name] for name in GOOD]
    assert [list(row) for row in NAMED.decode(orjson.dumps({"input": shuffled})).rows] == [values]
    assert [list(row) for row in NAMED.decode(orjson.dumps({"input": values})).rows] == [values]


@settings(max_examples=100, deadline=None)
@given(good_rows, st.sets(st.sampled_from(list(GOOD)), min_size=1))
def test_errors_name_exactly_the_fields_that_are_wrong(row: dict[str, Any], wrong: set[str]) -> None:
    body = {"input": {**row, **{name: [] for name in wrong}}}
    failure = failure_of(NAMED, body)
    assert {error["field"] for error in failure.errors} == {f"input.{name}" for name in wrong}
