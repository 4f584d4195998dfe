"""What pods respond, and what other processes may respond in their place."""

from typing import Any

import orjson
import pytest
from modelport_control_api.batch_worker.error_rows import Predicted, Rejected, RowsRejected, read_reply


def _read(status: int, said: Any, rows: int = 3, *, probabilities: bool = False) -> Any:
    return read_reply(status, orjson.dumps(said), rows, probabilities=probabilities)


def test_predictions() -> None:
    assert _read(200, {"predictions": [1, None, "a"]}) == Predicted([1, None, "a"])
    both = {"predictions": [1, 2], "probabilities": [{"a": 1.0}, None]}
    assert _read(200, both, 2, probabilities=True) == Predicted([1, 2], [{"a": 1.0}, None])


def test_named_fields_tell_of_rows_wherever_those_stood() -> None:
    errors = [
        {"field": "inputs[1].petal_width", "message": "must be a number, not a string"},
        {"field": "inputs[1].petal_length", "message": "is missing"},
        {"field": "inputs[2]", "message": "has 3 values, but the model takes 4"},
        {"field": "inputs[0][3]", "message": "must not be null"},
    ]
    result = _read(422, {"errors": errors})
    assert isinstance(result, RowsRejected)
    assert result.named == 4
    assert result.errors == {
        0: "[3] must not be null",
        1: "petal_width must be a number, not a string; petal_length is missing",
        2: "has 3 values, but the model takes 4",
    }


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, {"predictions": [1, 2]}),
        (200, {"predictions": "abc"}),
        (200, [1, 2, 3]),
        (422, {"detail": "no", "errors": [{"field": "return", "message": "may not"}]}),
        (422, {"errors": [{"field": "inputs[3].x", "message": "beyond the rows"}]}),
        (422, {"errors": [7]}),
        (500, {"title": "The model raised", "detail": "ValueError: no"}),
        (500, {}),
    ],
)
def test_what_names_no_row_is_about_all_of_them(status: int, said: Any) -> None:
    result = _read(status, said)
    assert isinstance(result, Rejected)
    assert result.message


def test_a_response_without_the_requested_probabilities_is_rejected() -> None:
    assert isinstance(_read(200, {"predictions": [1, 2, 3]}, probabilities=True), Rejected)
