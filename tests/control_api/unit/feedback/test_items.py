"""One item of feedback, as JSON and as cells of a line."""

from datetime import UTC, datetime
from typing import Any

import pytest
from modelport_control_api.feedback import items
from modelport_control_api.feedback.items import InvalidItem

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"label": 1}, "Object missing required field `request_id`"),
        ({"request_id": "a"}, "label or reward is needed: what turned out to be true, or what it was worth"),
        ({"request_id": "", "label": 1}, "request_id must have 1 to 128 printable characters"),
        ({"request_id": "a\u0000", "label": 1}, "request_id must have 1 to 128 printable characters"),
        ({"request_id": "a", "label": 1, "row": -1}, "Expected `int` >= 0 - at `row`"),
        (
            {"request_id": "a", "label": [1]},
            "Expected `bool | int | float | str | null`, got `array` - at `label`",
        ),
        ({"request_id": "a", "label": 2**70}, "label must be a number of at most 64 bits"),
        ({"request_id": "a", "label": "x" * 500}, "label must be 500 bytes of JSON at most"),
        ({"request_id": "a", "label": 1, "at": "2026-11-01T10:00:00"}, "Expected `datetime` with a timezone"),
        ({"request_id": "a", "lable": 1}, "Object contains unknown field `lable`"),
        ("a", "Expected `object`, got `str`"),
    ],
)
def test_what_is_wrong_is_said(item: Any, words: str) -> None:
    with pytest.raises(InvalidItem) as raised:
        items.row_of(items.read_object(item), "iris", NOW)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("cell", "label"),
    [("setosa", '"setosa"'), ("1", "1"), ("1.50", "1.5"), ("true", "true"), ("True", '"True"'),
     ("null", '"null"'), ("[1]", '"[1]"'), ("01", '"01"'), ("NaN", '"NaN"')],
)  # fmt: skip
def test_a_cell_is_what_json_has_it_for_or_a_text(cell: str, label: str) -> None:
    row = items.row_of(items.read_cells({"request_id": "7", "label": cell, "row": "", "at": ""}), "iris", NOW)
    assert (row["prediction_id"], row["row"], row["label"], row["at"]) == ("7", 0, label, NOW)


def test_times_are_kept_in_utc() -> None:
    item = {"request_id": 7, "reward": 1, "at": "2026-11-02T01:00:00+02:00"}
    row = items.row_of(items.read_object(item), "iris", NOW)
    assert row["at"] == datetime(2026, 11, 1, 23, tzinfo=UTC)
    assert (row["label"], row["reward"], row["received_at"]) == (None, 1.0, NOW)
