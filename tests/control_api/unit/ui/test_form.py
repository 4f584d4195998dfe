"""The form that a model is tried with follows from its signature and its sample."""

import json
from typing import Any

from modelport_control_api.ui.models.detail import MAX_FIELDS, build_form

from tests.control_api.unit.ui.answers import version

COLUMNS: list[dict[str, Any]] = [
    {"name": "age", "kind": "integer"},
    {"name": "income", "kind": "number", "optional": True},
    {"name": "city", "kind": "string", "values": ["Bonn", "Köln"]},
    {"name": "owner", "kind": "boolean"},
    {"name": "note", "kind": "string"},
]
ROW = {"age": 41, "income": None, "city": "Köln", "owner": False, "note": "x"}


def form_of(columns: Any, sample: Any = None, **signature: Any) -> Any:
    given = None if sample is None else {"input": sample}
    return build_form(version(signature={"columns": columns, **signature}, sample=given))


def test_each_kind_has_its_control_with_the_sample_filled_in() -> None:
    form = form_of(COLUMNS, ROW, outputs=["prediction", "probabilities"])

    assert [(f.control, f.text, f.optional) for f in form.fields] == [
        ("integer", "41", False),
        ("number", "", True),
        ("choice", '"K\\u00f6ln"', False),
        ("choice", "false", False),
        ("text", "x", False),
    ]
    assert [choice.label for choice in form.fields[2].choices] == ["Bonn", "Köln"]
    assert form.mode == "fields"
    assert form.probabilities
    assert not form.positional


def test_without_a_sample_the_fields_hold_what_the_model_takes() -> None:
    form = form_of(COLUMNS)

    assert [field.text for field in form.fields] == ["0", "0", '"Bonn"', "false", "text"]
    assert json.loads(form.row)["city"] == "Bonn"


def test_a_positional_row_stays_a_list() -> None:
    form = form_of(
        [{"name": "x0", "kind": "number"}, {"name": "x1", "kind": "number"}],
        [5.5, 3],
        positional=True,
    )

    assert form.positional
    assert [field.text for field in form.fields] == ["5.5", "3"]
    assert json.loads(form.row) == [5.5, 3]


def test_texts_tensors_wide_rows_and_unknown_signatures_are_written_freely() -> None:
    text = build_form(version(signature={"input": "text", "columns": None}, sample={"input": "a flower"}))
    tensor = form_of([{"name": "image", "kind": "tensor", "shape": [None, 2]}])
    wide = form_of([{"name": f"x{n}", "kind": "number"} for n in range(MAX_FIELDS + 1)])

    assert (text.mode, text.row) == ("text", "a flower")
    assert (tensor.mode, json.loads(tensor.row)) == ("json", {"image": [[0.0, 0.0]]})
    assert "[0.0, 0.0]" in tensor.row, "a picture's numbers are not a line each"
    assert wide.mode == "json"
    assert len(json.loads(wide.row)) == MAX_FIELDS + 1
    assert build_form(version()).mode == "json"
