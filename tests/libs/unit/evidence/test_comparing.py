"""What counts as another answer."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_evidence.comparing import disagreement_at, disagreements


def one(**outputs: Any) -> dict[str, Any]:
    return {"model": "iris", "version": "v1", **outputs}


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        ("setosa", "setosa", False),
        ("setosa", "virginica", True),
        (1, 1, False),
        (1, 2, True),
        (100, 101, True),
        (True, 1, False),
        (1, 1.0, False),
        ("1", 1, True),
        (10**400, 10**400, False),
        (10**400, 1.0, True),
        (100.0, 100.9, False),
        (100.0, 101.1, True),
        (-100.0, 100.0, True),
        (0.0, 1e-12, False),
        (0.0, 0.001, True),
        (None, None, False),
        (None, 0.0, True),
        (float("nan"), float("nan"), False),
        (float("nan"), 1.0, True),
        ([1.0, 2.0], [1.0, 2.001], False),
        ([1.0, 2.0], [1.0], True),
        ({"a": "x", "b": 1.0}, {"a": "x", "b": 1.001}, False),
        ({"a": "x"}, {"b": "x"}, True),
    ],
)
def test_predictions(first: Any, second: Any, differs: bool) -> None:
    assert disagreements(one(prediction=first), one(prediction=second)) == [differs]


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        ({"a": 0.5, "b": 0.5}, {"a": 0.59, "b": 0.41}, False),
        ({"a": 0.5, "b": 0.5}, {"a": 0.61, "b": 0.39}, True),
        ({"a": 0.95, "b": 0.05}, {"a": 1.0}, False),
        ([0.5, 0.5], [0.3, 0.7], True),
        ({"a": 1.0}, {"a": float("nan")}, True),
        ({"a": 1.0}, {"a": "x"}, True),
        ({"a": 1.0}, {"a": 10**400}, True),
    ],
)
def test_probabilities(first: Any, second: Any, differs: bool) -> None:
    answers = [one(prediction="a", probabilities=each) for each in (first, second)]
    assert disagreements(*answers) == [differs]


def test_each_row_is_compared_for_itself() -> None:
    first = one(predictions=["a", "b", "c"], probabilities=[{"a": 1.0}, {"a": 0.9}, {"a": 0.2}])
    second = one(predictions=["a", "c", "c"], probabilities=[{"a": 1.0}, {"a": 0.9}, {"a": 0.8}])
    assert disagreements(first, second) == [False, True, True]


def test_other_versions_are_not_other_answers() -> None:
    assert disagreements(one(prediction=1), {**one(prediction=1), "version": "v2"}) == [False]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(_JSON, _JSON)
def test_whatever_a_model_answers_is_compared(first: Any, second: Any) -> None:
    found = disagreements(first, second)
    assert found
    assert all(isinstance(each, bool) for each in found)


def test_what_is_no_response_differs() -> None:
    assert disagreements(one(prediction=1), None) == [True]
    assert disagreements(one(predictions=[1, 2]), one(prediction=1)) == [True, True]
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert disagreements(one(prediction=deep), one(prediction=deep)) == [True]


def test_of_one_row_it_is_said_as_of_all() -> None:
    first, second = (one(predictions=each) for each in ([1, 2, 3], [1, 5, 3]))
    for row, differs in enumerate(disagreements(first, second)):
        assert disagreement_at(first, second, lambda _, row=row: row) == (row, differs)  # type: ignore[misc]
    assert disagreement_at(first, one(predictions=[1, 2]), lambda rows: rows - 1) == (2, True)
    assert disagreement_at(one(prediction=1), one(prediction=1), lambda rows: rows - 1) == (0, False)
    assert disagreement_at(one(predictions=[]), one(predictions=[]), lambda rows: rows - 1) == (0, False)
