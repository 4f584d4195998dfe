"""Columns of categories that are matched by their text, as CatBoost's are."""

from typing import Any

import orjson
import pytest
from modelport_runtime.core.rows import RowDecoder
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import Rejected

COLUMNS = (Column("age", optional=True), Column("zone", kind="string", dtype="str"))
DECODER = RowDecoder(Signature(task="classifier", columns=COLUMNS))


def read(zone: Any) -> Any:
    return DECODER.decode(orjson.dumps({"input": {"age": 1, "zone": zone}})).rows[0][1]


@pytest.mark.parametrize(
    ("sent", "matched"),
    [("10", "10"), (10, "10"), (-3, "-3"), (2**63, str(2**63)), (True, "True"), ("10.0", "10.0"), ("", "")],
)
def test_a_category_is_the_text_of_what_was_sent(sent: Any, matched: str) -> None:
    assert read(sent) == matched


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (10.0, "must be a string or a whole number, not a number with a point: send it as the text"),
        (None, "must not be null: the model takes no missing values here"),
        (["10"], "must be a string or a whole number, not a list"),
    ],
)
def test_what_could_be_several_categories_or_none_is_refused_by_its_name(sent: Any, said: str) -> None:
    with pytest.raises(Rejected) as refused:
        read(sent)
    (error,) = refused.value.failure.errors
    assert error["field"] == "input.zone"
    assert said in error["message"]
