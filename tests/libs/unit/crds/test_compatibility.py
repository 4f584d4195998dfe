"""What callers of one version depend on and another lacks, by their signatures: a table of pairs."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_crds.compatibility import (
    MOST_CHANGES,
    WORDS,
    change,
    compared,
    in_words,
    signature_changes,
    summary,
)
from modelport_crds.mlmodel import SignatureChange

Signature = dict[str, Any]


def column(name: str, kind: str = "number", **facts: Any) -> dict[str, Any]:
    dtypes = {"number": "float64", "integer": "int64", "boolean": "bool", "tensor": "float32"}
    usual = {"dtype": dtypes.get(kind, "object"), "optional": False, "values": None, "shape": None}
    return {"name": name, "kind": kind, **usual, **facts}


def signature(*columns: dict[str, Any], **facts: Any) -> Signature:
    usual = {
        "task": "classifier",
        "columns": list(columns),
        "positional": False,
        "input": "rows",
        "outputs": ["prediction", "probabilities"],
        "classes": ["no", "yes"],
    }
    return {**usual, **facts}


def changes(before: Signature | None, after: Signature | None) -> list[str]:
    return [in_words(each) for each in signature_changes(before, after)]


A, B, C = column("a"), column("b"), column("c")
AB = signature(A, B)


def only(kind: str, **facts: Any) -> Signature:
    return signature(column("x", kind, **facts))


HELD: dict[str, tuple[Signature, Signature, list[str]]] = {
    "an input that is gone": (AB, signature(A), ["input b is gone"]),
    "a new one that is required": (AB, signature(A, B, C), ["input c is new and required"]),
    "a renamed one is both": (AB, signature(A, C), ["input b is gone", "input c is new and required"]),
    "one that could be missing": (
        signature(A, column("b", optional=True)),
        AB,
        ["input b may no longer be missing"],
    ),
    "numbers to texts": (only("number"), only("string"), ["input x has the type text, not number"]),
    "texts to numbers": (only("string"), only("number"), ["input x has the type number, not text"]),
    "fractions to whole numbers": (
        only("number"),
        only("integer"),
        ["input x has the type whole number, not number"],
    ),
    "texts to dates": (
        only("string"),
        only("string", dtype="datetime64[us]"),
        ["input x has the type date, not text"],
    ),
    "dates that need an offset now": (
        only("string", dtype="datetime64[us]"),
        only("string", dtype="datetime64[us, UTC]"),
        ["input x has the type date with an offset, not date"],
    ),
    "booleans to an ONNX graph's numbers": (
        only("boolean"),
        {**only("number"), "tensors_in": []},
        ["input x has the type number, not boolean"],
    ),
    "texts to numbers or booleans": (
        only("string"),
        only("any", dtype="float64"),
        ["input x has the type number or boolean, not text"],
    ),
    "a tensor to a number": (
        only("tensor", shape=[None, 4]),
        only("number"),
        ["input x has the type number, not tensor of float32 [null, 4]"],
    ),
    "a tensor of another shape": (
        only("tensor", shape=[None, 4]),
        only("tensor", shape=[None, 5]),
        ["input x has the type tensor of float32 [null, 5], not tensor of float32 [null, 4]"],
    ),
    "a tensor whose size was free": (
        only("tensor", shape=[None]),
        only("tensor", shape=[3]),
        ["input x has the type tensor of float32 [3], not tensor of float32 [null]"],
    ),
    "a tensor of whole numbers": (
        only("tensor", shape=[2]),
        only("tensor", shape=[2], dtype="int64"),
        ["input x has the type tensor of int64 [2], not tensor of float32 [2]"],
    ),
    "a category that is not known any more": (
        only("string", values=["red", "green", "blue"]),
        only("string", values=["green"]),
        ['input x no longer takes "red", "blue"'],
    ),
    "categories, where any text was taken": (
        only("string"),
        only("string", values=["red"]),
        ['input x takes nothing but "red"'],
    ),
    "another order for rows that are lists": (
        AB,
        signature(B, A),
        ["rows that are lists have another order: b, a, not a, b"],
    ),
    "a longer row of a model without names": (
        signature(A, B, positional=True),
        signature(A, B, column("c", optional=True), positional=True),
        ["the number of values in a row is 3, not 2"],
    ),
    "a type at a place": (
        signature(column("x0"), column("x1"), positional=True),
        signature(column("age"), column("town", "string")),
        ["input x1 has the type text, not number"],
    ),
    "texts to rows": (
        signature(input="text", columns=None),
        AB,
        ["it takes rows of values, not texts"],
    ),
    "another task": (AB, {**AB, "task": "regressor"}, ["its task is regressor, not classifier"]),
    "a class that is gone": (AB, {**AB, "classes": ["no"]}, ['it never answers "yes"']),
    "a new class": (AB, {**AB, "classes": ["maybe", "no", "yes"]}, ['it answers "maybe" too']),
    "classes by other names": (
        {**AB, "classes": [0, 1]},
        {**AB, "classes": ["0", "1"]},
        ["it never answers 0, 1", 'it answers "0", "1" too'],
    ),
    "classes of one of several labels": (
        {**AB, "classes": [["a", "b"], [0, 1]]},
        {**AB, "classes": [["a", "b"], [0, 2]]},
        ["it never answers 1", "it answers 2 too"],
    ),
    "another number of labels": (
        {**AB, "classes": [["a", "b"], [0, 1]]},
        {**AB, "classes": ["a", "b"]},
        ["the number of labels is 1, not 2"],
    ),
    "an output that is gone": (
        AB,
        {**AB, "outputs": ["prediction"]},
        ["output probabilities is gone"],
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), HELD.values(), ids=HELD)
def test_callers_depend_on(before: Signature, after: Signature, expected: list[str]) -> None:
    assert changes(before, after) == expected


WIDENED: dict[str, tuple[Signature | None, Signature | None]] = {
    "the same": (AB, AB),
    "an added input that may be missing": (AB, signature(A, B, column("c", optional=True))),
    "an input that may be missing now": (AB, signature(A, column("b", optional=True))),
    "contributions gone": (
        {**AB, "outputs": ["prediction", "contributions"]},
        {**AB, "outputs": ["prediction"]},
    ),
    "an output more": (AB, {**AB, "outputs": ["prediction", "probabilities", "decision_function"]}),
    "whole numbers to numbers": (only("integer"), only("number")),
    "booleans to numbers": (only("boolean"), only("number")),
    "booleans to booleans or numbers": (only("boolean"), only("boolean", dtype="float64")),
    "anything at all": (only("string"), only("any")),
    "dates to texts": (only("string", dtype="datetime64[us]"), only("string")),
    "narrower floats": (only("number"), only("number", dtype="float32")),
    "a category more": (only("string", values=["a"]), only("string", values=["b", "a"])),
    "any category": (only("string", values=["a"]), only("string")),
    "whole numbers to categories that are matched by their text": (
        only("integer"),
        only("string", dtype="str"),
    ),
    "categories by value": (only("integer", values=[1, 2]), only("number", values=[1.0, 2.0, 3.0])),
    "a tensor whose size is free now": (only("tensor", shape=[3]), only("tensor", shape=[None])),
    "a tensor of numbers": (only("tensor", shape=[2], dtype="int64"), only("tensor", shape=[2])),
    "classes in another order": (AB, {**AB, "classes": ["yes", "no"]}),
    "names with _ for blanks, as LightGBM writes them": (
        signature(column("petal width")),
        signature(column("petal_width")),
    ),
    "lists of a model that knows no names": (AB, signature(A, B, positional=True)),
    "names where there were none": (signature(A, B, positional=True), signature(B, C)),
}
UNKNOWN: dict[str, tuple[Signature | None, Signature | None]] = {
    "no signature before": (None, AB),
    "no signature now": (AB, None),
    "nothing but a task": (AB, {"task": "classifier"}),
    "columns that are unknown": (AB, {**AB, "columns": None}),
    "columns that were unknown": ({**AB, "columns": None}, AB),
    "an input whose type no file says": (only("any"), only("integer", values=[1, 2])),
    "a task that nobody knows": ({**AB, "task": "generic"}, AB),
    "classes that nobody knows": ({**AB, "classes": None}, AB),
    "a kind of a newer runtime": (only("duration"), only("number")),
    "what is no signature": ({"columns": "many"}, AB),
    "columns that are none": (AB, {**AB, "columns": [1, 2]}),
}


@pytest.mark.parametrize(("before", "after"), WIDENED.values(), ids=WIDENED)
def test_what_takes_and_returns_more_is_compatible(before: Signature | None, after: Signature | None) -> None:
    assert changes(before, after) == []


@pytest.mark.parametrize(("before", "after"), UNKNOWN.values(), ids=UNKNOWN)
def test_nothing_differs_for_lack_of_knowledge(before: Signature | None, after: Signature | None) -> None:
    assert changes(before, after) == []


def test_blanks_count_where_a_model_tells_them_apart() -> None:
    both = signature(column("a b"), column("a_b"))
    assert changes(both, signature(column("a_b"))) == ["input a b is gone"]


_KEYS = (
    *("columns", "classes", "outputs", "task", "input", "positional", "tensors_in"),
    *("name", "kind", "dtype", "optional", "values", "shape"),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.sampled_from(_KEYS), each),
)


@settings(deadline=None)
@given(_JSON)
def test_whatever_a_runtime_says_is_compared_without_an_error(said: Any) -> None:
    for before, after in ((AB, said), (said, AB), (said, said)):
        list(signature_changes(before, after))


def test_a_signature_is_compatible_with_itself_in_every_kind() -> None:
    for before, after, _ in HELD.values():
        assert changes(before, before) == changes(after, after) == []


def test_every_kind_of_change_has_words_and_happens() -> None:
    by_signature = {
        each.what for before, after, _ in HELD.values() for each in signature_changes(before, after)
    }
    assert by_signature | {"answer_type", "sample"} == set(WORDS)


def test_more_changes_than_a_status_holds_are_counted() -> None:
    wide = signature(*(column(f"x{place}") for place in range(MOST_CHANGES + 3)))
    found = compared("v1", signature_changes(wide, signature()))
    assert (len(found.changes), found.more) == (MOST_CHANGES, 3)
    assert summary(found).startswith("input x0 is gone; input x1 is gone; ")
    assert summary(found).endswith("; and 3 more")


def test_what_a_model_says_is_cut_and_steers_no_terminal() -> None:
    name = "\x1b[31m" + "n" * 500
    (found,) = signature_changes(signature(column(name)), signature())
    assert found.name == " [31m" + "n" * 74 + "…"
    many = list(range(100))
    (listed,) = signature_changes({**AB, "classes": many}, {**AB, "classes": [*many, *range(200, 300)]})
    assert listed.after == "200, 201, 202, 203, 204 and 95 more"


def test_a_change_that_only_a_newer_release_knows_has_its_name() -> None:
    assert in_words(SignatureChange(what="units", name="age")) == "units age"
    assert in_words(change("sample", name="v1", after="{input} is missing")) == (
        "it does not answer the sample of v1: {input} is missing"
    )
