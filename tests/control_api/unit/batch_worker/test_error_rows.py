"""Narrowing down: which rows get a prediction, which an error, and with how many requests."""

import orjson
import pytest
from modelport_control_api.batch_worker.error_rows import (
    MAX_RESULTS_BYTES,
    Predicted,
    PredictResult,
    Rejected,
    ResultsTooLarge,
    RowsRejected,
    bisect_bad_rows,
)


class Model:
    """Doubles numbers. `raising`: rows on which it raises; `wrong`: rows that its validation names."""

    def __init__(self, *, raising: set[int] = frozenset(), wrong: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        self.raising = raising
        self.wrong = wrong
        self.asked: list[int] = []

    async def predict(self, inputs: bytes, rows: int) -> PredictResult:
        values = orjson.loads(inputs)
        assert len(values) == rows
        self.asked.append(rows)
        named = [place for place, value in enumerate(values) if value in self.wrong][:100]
        if named:
            return RowsRejected(dict.fromkeys(named, "x is wrong"), named=len(named))
        if self.raising & set(values):
            return Rejected("ValueError: no")
        return Predicted([2 * value for value in values], [{"a": value} for value in values])


@pytest.mark.parametrize(
    ("raising", "wrong"),
    [
        (set(), {17}),
        ({0}, set()),
        ({499}, {0, 1, 2}),
        (set(range(0, 500, 50)), set(range(1, 500, 3))),
        (set(), set(range(500))),
    ],
)
@pytest.mark.parametrize("most_rows", [500, 60])
async def test_exactly_the_bad_rows_become_errors(raising: set[int], wrong: set[int], most_rows: int) -> None:
    model = Model(raising=raising, wrong=wrong)
    answers = await bisect_bad_rows(model.predict, orjson.dumps(list(range(500))), 500, most_rows=most_rows)
    assert set(answers.errors) == raising | wrong
    for row in range(500):
        is_bad = row in answers.errors
        assert answers.predictions[row] == (None if is_bad else 2 * row)
        if answers.probabilities is not None:
            assert answers.probabilities[row] == (None if is_bad else {"a": row})


async def test_one_bad_row_of_a_chunk_costs_few_questions() -> None:
    named, raising = Model(wrong={1234}), Model(raising={1234})
    rows = orjson.dumps(list(range(5000)))
    await bisect_bad_rows(named.predict, rows, 5000, most_rows=5000)
    await bisect_bad_rows(raising.predict, rows, 5000, most_rows=5000)
    assert named.asked == [5000, 4999]
    assert len(raising.asked) <= 27


async def test_a_model_that_raises_on_every_row_is_not_called_for_each() -> None:
    model = Model(raising=set(range(5000)))
    answers = await bisect_bad_rows(model.predict, orjson.dumps(list(range(5000))), 5000, most_rows=5000)
    assert len(answers.errors) == 5000
    assert answers.errors[0] == "ValueError: no"
    assert "was not tried" in answers.errors[4999]
    assert len(model.asked) < 500


async def test_rows_reach_the_model_as_they_were_written() -> None:
    seen: list[bytes] = []

    async def predict(inputs: bytes, rows: int) -> PredictResult:
        seen.append(inputs)
        return Rejected("no") if rows > 1 else Predicted([0])

    await bisect_bad_rows(predict, b'[1.10, {"a": 12345678901234567890123}]', 2, most_rows=2)
    assert seen[1:] == [b"[1.10]", b'[{"a": 12345678901234567890123}]']


async def test_responses_that_cannot_be_held_together_are_refused() -> None:
    asked: list[int] = []

    async def predict(inputs: bytes, rows: int) -> PredictResult:
        values = orjson.loads(inputs)
        asked.append(rows)
        return Predicted(values, size=MAX_RESULTS_BYTES // 3) if rows == 1 else Rejected("too long")

    rows = 500
    with pytest.raises(ResultsTooLarge):
        await bisect_bad_rows(predict, orjson.dumps(list(range(rows))), rows, most_rows=rows)
    assert asked.count(1) == 4
