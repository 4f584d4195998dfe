"""What is redacted never leaves the gateway, in whatever form it was sent or is repeated."""

import json
from typing import Any

import pytest
from modelport_gateway.cache.key import Canonical
from modelport_gateway.request.paths import Call
from modelport_gateway.sampling.redaction import REDACTED, Redaction

SECRET = "Jane-Doe-1971"
NUMBER = 271828.5


def columns(*names: str, positional: bool = False) -> Canonical:
    described = [{"name": name, "kind": "text", "optional": True} for name in names]
    return Canonical.from_signature({"input": "rows", "columns": described, "positional": positional})


NAMED, POSITIONAL, TEXTS = (
    columns("age", "name"),
    columns("age", "name", positional=True),
    Canonical(None, True),
)
ROW = {"age": 7, "name": SECRET}


def redacted(request: Any, canonical: Canonical = NAMED, call: Call = Call.PREDICT, *fields: str) -> Any:
    return Redaction(frozenset(fields or ("name",)), canonical).request(call, request)


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        ({"input": ROW}, {"input": {"age": 7, "name": REDACTED}}),
        ({"input": [7, SECRET]}, {"input": [7, REDACTED]}),
        ({"inputs": [ROW, [8, SECRET]]}, {"inputs": [{"age": 7, "name": REDACTED}, [8, REDACTED]]}),
        ({"input": {"age": {"name": SECRET, "x": [{"name": SECRET}]}}},
         {"input": {"age": {"name": REDACTED, "x": [{"name": REDACTED}]}}}),
        ({"input": ROW, "return": ["prediction"]},
         {"input": {"age": 7, "name": REDACTED}, "return": ["prediction"]}),
        # What the runtime will refuse: who knows what stands where.
        ({"input": [SECRET, 7, 8]}, {"input": REDACTED}),
        ({"input": {"age": 7, "nmae": SECRET}}, {"input": {"age": 7, "nmae": REDACTED}}),
        ({"input": json.dumps(ROW)}, {"input": REDACTED}),
        ({"age": 7, "nome": SECRET}, {"age": REDACTED, "nome": REDACTED}),
        ({"inputs": {"x": SECRET}}, {"inputs": REDACTED}),
        ([SECRET], REDACTED),
    ],
)  # fmt: skip
def test_a_request_without_the_field(request_: Any, shown: Any) -> None:
    assert redacted(request_) == shown


def test_an_object_whose_values_count_in_their_order() -> None:
    assert redacted({"input": {"x": 7, "y": SECRET}}, POSITIONAL) == {"input": {"x": 7, "y": REDACTED}}
    assert redacted({"input": {"name": SECRET, "y": 1}}, POSITIONAL)["input"]["name"] == REDACTED
    assert redacted({"input": {"x": SECRET}}, POSITIONAL) == {"input": REDACTED}


def test_a_model_of_texts_has_the_field_input() -> None:
    assert redacted({"input": "a text"}, TEXTS) == {"input": "a text"}
    assert redacted({"input": SECRET}, TEXTS, Call.PREDICT, "input") == {"input": REDACTED}
    assert redacted({"inputs": [SECRET]}, TEXTS, Call.PREDICT, "inputs") == {"inputs": REDACTED}
    # Positions that nobody can name.
    assert redacted({"input": [1, SECRET]}, TEXTS) == {"input": REDACTED}


def test_tensors_are_shown_where_their_name_is_a_column() -> None:
    tensors = [
        {"name": "age", "shape": [1], "datatype": "FP64", "data": [7]},
        {"name": "name", "shape": [1], "datatype": "BYTES", "data": [SECRET]},
        {"name": "rows", "shape": [1, 2], "datatype": "BYTES", "data": [7, SECRET]},
    ]
    shown = redacted({"id": "1", "inputs": tensors}, NAMED, Call.INFER)["inputs"]
    assert [tensor["data"] for tensor in shown] == [[7], REDACTED, REDACTED]
    assert shown[2]["shape"] == [1, 2]


def redacted_response(response: Any, *, name: Any = SECRET, call: Call = Call.PREDICT) -> Any:
    redaction = Redaction(frozenset({"name"}), NAMED)
    redaction.request(call, {"input": {"age": 7, "name": name}})
    return redaction.prediction(response)


def test_a_response_does_not_repeat_what_is_hidden() -> None:
    assert redacted_response({"prediction": "setosa"}) == {"prediction": "setosa"}
    assert redacted_response({"prediction": SECRET}) == {"prediction": REDACTED}
    assert redacted_response({"prediction": f"Dear {SECRET},"}) == {"prediction": REDACTED}
    assert redacted_response({"probabilities": {SECRET: 0.5, "x": 0.5}}) == {
        "probabilities": {REDACTED: 0.5, "x": 0.5}
    }
    assert redacted_response({"outputs": [{"name": "name", "data": [1]}]})["outputs"][0]["data"] == REDACTED
    # A short one is only itself: many words have an "a".
    assert redacted_response({"prediction": "a", "version": "alpha"}, name="a") == {
        "prediction": REDACTED, "version": "alpha",
    }  # fmt: skip


def test_numbers_are_hidden_in_transformed_rows_and_not_among_labels() -> None:
    assert redacted_response({"prediction": [0.1, NUMBER]}, name=NUMBER) == {"prediction": [0.1, REDACTED]}
    assert redacted_response({"predictions": [[NUMBER], [1]]}, name=NUMBER) == {
        "predictions": [[REDACTED], [1]]
    }
    assert redacted_response({"predictions": [1, 0]}, name=1) == {"predictions": [1, 0]}
    assert redacted_response({"prediction": 1}, name=1) == {"prediction": 1}
    tensor = {"name": "output", "shape": [1, 2], "data": [0.1, NUMBER]}
    assert redacted_response({"outputs": [tensor]}, name=NUMBER)["outputs"][0]["data"] == REDACTED


def test_a_redacted_problem_names_the_fields_and_repeats_no_sentence() -> None:
    problem = {
        "type": "about:blank", "title": "Unprocessable Content", "status": 422, "request_id": "r",
        "detail": f"input.name: {SECRET} is not known",
        "errors": [{"field": "input.name", "message": f"{SECRET} is not known"}],
    }  # fmt: skip
    shown = Redaction(frozenset({"name"}), NAMED).problem(problem)
    assert SECRET not in json.dumps(shown)
    assert (shown["status"], shown["errors"][0]["field"]) == (422, "input.name")
