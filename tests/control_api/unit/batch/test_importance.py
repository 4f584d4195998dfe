"""Importance, from the rows that it is computed of to its figures."""

from array import array
from pathlib import Path

import pytest
from modelport_control_api.batch.formats.layout import InputSignature
from modelport_control_api.batch.formats.limits import InputInvalid
from modelport_control_api.batch.storage.chunks import ChunkResults
from modelport_control_api.batch.storage.contributions import Contributions, Terms
from modelport_control_api.history import rows as kept
from modelport_control_api.importance import rows
from modelport_control_api.importance.figures import of_results

OF_ONE = Terms("log_odds", ["age", "city"], None, "good")
OF_THREE = Terms("probability", ["age"], ["a", "b", "c"])


def chunk(terms: Terms | None, *numbers: list[float] | None) -> ChunkResults:
    packed = [None if each is None else array("d", each).tobytes() for each in numbers]
    contributions = Contributions(terms, packed)
    return ChunkResults(0, len(packed), [1] * len(packed), None, {}, {}, None, contributions)


def test_a_columns_importance_is_its_mean_absolute_contribution() -> None:
    found = of_results([chunk(OF_ONE, [1.0, -4.0, 0.5], None), chunk(OF_ONE, [-3.0, 2.0, 0.5])])
    assert found is not None
    assert (found.rows, found.means, found.scale, found.of_class) == (2, [2.0, 3.0], "log_odds", "good")
    assert found.by_class["good"].base == 0.5


def test_over_classes_it_is_their_mean() -> None:
    found = of_results([chunk(OF_THREE, [1.0, 0.1, -2.0, 0.2, 3.0, 0.7])])
    assert found is not None
    assert found.means == [2.0]
    assert {key: (sums.means, sums.base) for key, sums in found.by_class.items()} == {
        "a": ([1.0], 0.1), "b": ([2.0], 0.2), "c": ([3.0], 0.7),
    }  # fmt: skip


def test_rows_whose_contributions_are_no_numbers_do_not_count() -> None:
    odd = [float("nan"), 1.0, 0.0]
    found = of_results([chunk(OF_ONE, odd, [float("inf"), 1.0, 0.0], [2.0, 1.0, 0.0])])
    assert found is not None
    assert (found.rows, found.means) == (1, [2.0, 1.0])
    assert of_results([chunk(OF_ONE, odd), chunk(None, None)]) is None
    # Of other columns than the first ones: another model's process answered.
    assert of_results([chunk(OF_ONE, [2.0, 1.0, 0.0]), chunk(OF_THREE, [9.0] * 6)]) == found


def signature(*names: str, positional: bool = False) -> InputSignature:
    columns = [{"name": name, "kind": "number", "optional": False} for name in names]
    return InputSignature.read({"columns": columns, "positional": positional})


@pytest.mark.parametrize(
    ("described", "head"),
    [
        (signature("city", "age"), "age,city"),
        (signature("x0", "x1", positional=True), "id,age"),
        (signature("age", "city", positional=True), "age,city"),
    ],
)
def test_the_columns_that_the_model_takes_are_left(described: InputSignature, head: str) -> None:
    data = b'id,age,city,outcome\n1,2,"a,b",4\n'
    left = rows.for_signature(data, described).decode().splitlines()
    assert left[0] == head
    assert ('"a,b"' in left[1]) == ("city" in head)


@pytest.mark.parametrize("positional", [False, True])
def test_a_reference_that_lacks_a_column_says_nothing_of_the_others(positional: bool) -> None:
    described = signature("age", "other", "third", positional=positional)
    with pytest.raises(InputInvalid, match="takes: 'other', 'third'"):
        rows.for_signature(b"age,city\n1,2\n", described)


def test_some_rows_of_a_long_file_are_taken_at_random_and_always_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a;b;\n" + "".join(f"{place};x;\n" for place in range(5000)))
    data, count = rows.sampled(path)
    assert count == rows.MOST_ROWS
    assert data.decode().splitlines()[0] == "a,b"
    assert rows.sampled(path)[0] == data
    taken = [int(line.split(",")[0]) for line in data.decode().splitlines()[1:]]
    assert 2000 < sum(taken) / len(taken) < 3000
    monkeypatch.setattr(rows, "_MOST_BYTES", 100)
    assert len(rows.sampled(path)[0]) < 110


def test_bodies_that_are_no_rows_give_none() -> None:
    assert kept._rows_of('{"input": [1]}') == [[1]]
    assert kept._rows_of('{"inputs": [[1], [2]]}') == [[1], [2]]
    for odd in ("[1]", "{", "{}", '{"inputs": 3}', '{"inputs": [{"name": "x", "datatype": "FP64"}]}'):
        assert kept._rows_of(odd) == []
