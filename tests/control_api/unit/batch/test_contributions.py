"""What moved predictions, from a pod's response to the three formats of results."""

import csv
import io
import json
from typing import Any

import pyarrow.parquet
import pytest
from modelport_control_api.batch.options import check_outputs, read_options
from modelport_control_api.batch.results.columns import Columns, term_names
from modelport_control_api.batch.results.writers import WRITERS
from modelport_control_api.batch.storage.chunks import (
    Chunk,
    ChunkResults,
    combine,
    read_results,
    write_results,
)
from modelport_control_api.batch.storage.contributions import Contributions, Terms
from modelport_control_api.errors import InvalidFields

OF_TWO = {"scale": "log_odds", "class": "good", "base": -0.5, "values": {"age": 0.25, "city": None}}
OF_THREE = {
    "scale": "probability",
    "classes": {key: {"base": 0.25, "values": {"age": 0.5, "city": -0.125}} for key in ("a", "b", "c")},
}


def results_of(explained: Any) -> ChunkResults:
    """Of three rows, the middle one of which was never sent."""
    chunk = Chunk(0, 3, b"[[1,2],[3,4]]", {1: "age must be a number"}, {"base": [1, 2, 3]})
    given = Contributions.read([explained, explained])
    return read_results(write_results(combine(chunk, ["x", "y"], None, {}, given)))


def written(results: ChunkResults, output_format: str) -> bytes:
    columns = Columns()
    columns.see(results)
    writer = WRITERS[output_format](columns)
    return writer.begin() + writer.rows(results) + writer.end()


@pytest.mark.parametrize("explained", [OF_TWO, OF_THREE])
def test_json_lines_have_what_a_prediction_has(explained: Any) -> None:
    first, bad, last = map(json.loads, written(results_of(explained), "jsonl").splitlines())
    assert first["contributions"] == last["contributions"] == explained
    assert bad["contributions"] is None
    assert list(first) == ["base", "row", "prediction", "contributions", "error"]


def test_a_table_has_a_column_for_each_number() -> None:
    head, *rows = csv.reader(io.StringIO(written(results_of(OF_TWO), "csv").decode()))
    assert head[3:-1] == [
        "contributions_scale",
        "contributions_class",
        "contribution_age",
        "contribution_city",
        "contributions_base",
    ]
    assert rows[0][3:-1] == ["log_odds", "good", "0.25", "", "-0.5"]
    assert rows[1][3:-1] == [""] * 5
    table = pyarrow.parquet.read_table(io.BytesIO(written(results_of(OF_THREE), "parquet"))).to_pydict()
    assert table["contributions_scale"] == ["probability", None, "probability"]
    assert table["contribution_b_city"] == [-0.125, None, -0.125]
    assert table["contributions_base_c"] == [0.25, None, 0.25]


def test_a_key_column_gives_its_name_to_what_has_it() -> None:
    results = results_of(OF_TWO)
    with_keys = ChunkResults(
        0, 3, results.predictions, None, {}, {"contribution_age": [7, 8, 9]}, None, results.contributions
    )
    line = json.loads(written(with_keys, "jsonl").splitlines()[0])
    assert line["input_contribution_age"] == 7
    without = ChunkResults(0, 1, [1], None, {}, {"contribution_age": [7]})
    assert json.loads(written(without, "jsonl"))["contribution_age"] == 7


def test_columns_whose_names_would_be_one_are_numbered() -> None:
    names = term_names(Terms("probability", ["c", "b_c"], ["a", "a_b", "z"]))
    assert len(set(names)) == len(names)
    assert "contribution_a_b_c_2" in names


@pytest.mark.parametrize(
    "responded",
    [
        [7],
        [{}],
        [{"scale": 3, "base": 1.0, "values": {"a": 1.0}}],
        [{"scale": "x", "base": "1", "values": {"a": 1.0}}],
        [{"scale": "x", "classes": {}}],
        [{"scale": "x", "classes": [1]}],
        [OF_TWO, {**OF_TWO, "values": {"other": 1.0, "city": 1.0}}],
        [OF_THREE, OF_TWO],
    ],
)
def test_what_are_no_contributions_is_not_stored(responded: Any) -> None:
    with pytest.raises(ValueError, match="contributions"):
        Contributions.read(responded)


def test_rows_without_any_have_none() -> None:
    nothing = ChunkResults(0, 1, [None], None, {0: "bad"}, {}, None, Contributions(None, [None]))
    assert json.loads(written(nothing, "jsonl"))["contributions"] is None
    assert written(nothing, "csv").decode().splitlines()[0] == "row,prediction,error"


def signature(columns: int, classes: int, *outputs: str) -> dict[str, Any]:
    return {
        "columns": [{"name": f"x{place}", "kind": "number", "optional": False} for place in range(columns)],
        "classes": [str(place) for place in range(classes)],
        "outputs": ["prediction", *outputs],
    }


def problem(described: dict[str, Any], wanted: str) -> str:
    options = read_options({"return": wanted}, "text/csv", "")
    try:
        check_outputs(options, described)
    except InvalidFields as error:
        return error.detail
    return ""


def test_they_are_refused_where_there_are_none_and_where_they_are_too_many() -> None:
    both = "prediction, contributions"
    assert problem(signature(4, 3, "contributions"), both) == ""
    assert "this version has none" in problem(signature(4, 3), both)
    # Two classes share one sum.
    assert problem(signature(999, 2, "contributions"), both) == ""
    assert "400 columns and the base, of 3 classes, are 1,203 numbers" in problem(
        signature(400, 3, "contributions"), both
    )
    assert problem(signature(4, 3), "probabilities").startswith("probabilities cannot be given")
    with pytest.raises(InvalidFields):
        read_options({"return": "scores"}, "text/csv", "")


def test_a_request_without_them_is_the_one_that_it_was_before_there_were_any() -> None:
    assert "contributions" not in read_options({}, "text/csv", "").as_json()
    assert read_options({"return": "contributions"}, "text/csv", "").as_json()["contributions"] is True
