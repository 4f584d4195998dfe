"""Names and kinds of the keys that models of river have seen."""

from types import SimpleNamespace
from typing import Any

import pytest
from modelport_runtime.core.backends.river.seen import (
    Field,
    assembler_of,
    columns_of,
    fields_of,
    takes_text,
)
from modelport_runtime.core.signature import Column


def of(kind: str, **attributes: Any) -> Any:
    """An object of a class with this name."""
    made = type(kind, (), {})()
    vars(made).update(attributes)
    return made


def pipeline(*steps: Any) -> Any:
    return of("Pipeline", steps=dict(enumerate(steps)))


SCALER = of("StandardScaler", counts={"age": 3, "income": 3})
ENCODER = of("OneHotEncoder", values={"city": {"Rome"}})
SELECTED = of("Select", keys={"city", "age"})
NODE = SimpleNamespace(feature="age", children=[SimpleNamespace(splitters={"city": 1})])
TREE = of("HoeffdingTreeClassifier", _root=NODE)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (SCALER, {"age": Field("number"), "income": Field("number")}),
        (pipeline(SCALER, of("Something")), {"age": Field("number"), "income": Field("number")}),
        (SELECTED, {"age": Field(required=True), "city": Field(required=True)}),
        (pipeline(SELECTED, SCALER), {"age": Field("number", True), "city": Field(required=True)}),
        (ENCODER, {"city": Field()}),
        (
            of("TransformerUnion", transformers={"a": SCALER, "b": ENCODER}),
            {"age": Field("number"), "income": Field("number"), "city": Field()},
        ),
        (of("TransformerUnion", transformers={"a": SCALER, "b": of("FuncTransformer")}), None),
        (of("GaussianNB", gaussians={"x": {"age": 1}, "y": {"income": 1}}), fields_of(SCALER)),
        (TREE, {"age": Field(), "city": Field()}),
        (of("ARFClassifier", data=[TREE, TREE]), {"age": Field(), "city": Field()}),
        (of("BagOfWords", on="text"), {"text": Field("string", True)}),
        (of("BagOfWords", on=None), None),
        # Nothing was learned yet.
        (of("StandardScaler", counts={}), None),
        (pipeline(), None),
    ],
)
def test_a_row_has_the_keys_that_the_first_step_has_seen(model: Any, fields: dict[str, Field] | None) -> None:
    assert fields_of(model) == fields


def test_columns_have_the_kinds_and_rows_the_models_own_keys() -> None:
    fields = {0: Field("number"), "city": Field(), "text": Field("string", True)}
    assert columns_of(fields) == (
        Column("0", optional=True),
        Column("city", "any", "object", optional=True),
        Column("text", "string", "object"),
    )
    rows = assembler_of(fields)([[1.5, float("nan"), "good"], [float("nan"), 2, "bad"]])
    assert rows == [{0: 1.5, "text": "good"}, {"city": 2, "text": "bad"}]


@pytest.mark.parametrize(
    ("model", "whole"),
    [
        (pipeline(of("TFIDF", on=None), SCALER), True),
        (of("TFIDF", on="x"), False),
        (pipeline(), False),
        (SCALER, False),
    ],
)
def test_words_are_counted_of_a_row_or_of_one_key(model: Any, whole: bool) -> None:
    assert takes_text(model) is whole
