"""A small file that stands for much: it ends with words, before it has taken the memory or the disk."""

import io
import json
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from modelport_control_api.batch.formats.limits import MAX_ROW_BYTES, InputTooLarge, Limits
from modelport_control_api.batch.formats.sizes import row_bytes
from modelport_control_api.batch.preparation import Preparation
from modelport_control_api.batch.storage.chunks import MAX_BYTES, Chunk

TEXTS = {"input": "text", "positional": False, "columns": None}
NUMBERS = {"columns": [{"name": "x", "kind": "number", "optional": False}], "input": "rows"}
KIB = 1024
SMALL = Limits(cell_bytes=2 * KIB)


def cut(
    data: bytes, form: str, signature: Any, limits: Limits, keys: Sequence[str] | None = None
) -> list[Chunk]:
    return list(Preparation(io.BytesIO(data), form, signature, keys, limits=limits).chunks())


def parquet(**columns: Any) -> bytes:
    file = io.BytesIO()
    options = columns.pop("options", {})
    pyarrow.parquet.write_table(pyarrow.table(columns), file, compression="zstd", **options)
    return file.getvalue()


def many_bytes(form: str, cell: str) -> tuple[bytes, str]:
    """A file whose row 1 has `cell` beside its number; and how the column is called in a message."""
    rows = [{"x": 1.0, "note": "short"}, {"x": 2.0, "note": cell}]
    match form:
        case "parquet":
            return parquet(x=[1.0, 2.0], note=["short", cell]), "note"
        case "csv":
            return f"x,note\n1,short\n2,{cell}\n".encode(), "note"
        case "jsonl":
            return "\n".join(map(json.dumps, rows)).encode(), "note"
        case _:
            return json.dumps({"inputs": rows}).encode(), "note"


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl", "json"])
def test_a_cell_over_the_limit_ends_the_job_and_is_named(form: str) -> None:
    data, column = many_bytes(form, "a" * 3 * KIB)
    with pytest.raises(InputTooLarge) as caught:
        cut(data, form, NUMBERS, SMALL)
    assert str(caught.value).startswith("Row 1 (counted from 0) has more than 2,048 bytes")
    assert f"the column '{column}'" in str(caught.value)
    assert "shorten it, or leave the column out" in str(caught.value)
    data, _ = many_bytes(form, "a" * KIB)
    assert [chunk.rows for chunk in cut(data, form, NUMBERS, SMALL)] == [2]


@pytest.mark.parametrize(
    "note",
    [
        pytest.param(pyarrow.array([["ab"] * KIB] * 2), id="a list"),
        pytest.param(pyarrow.array([{"a": "x" * 3 * KIB}] * 2), id="an object"),
        pytest.param(pyarrow.array([b"x" * 3 * KIB] * 2, pyarrow.binary(3 * KIB)), id="fixed bytes"),
        pytest.param(
            pyarrow.array(
                [[("k", list(range(KIB)))]] * 2,
                pyarrow.map_(pyarrow.string(), pyarrow.list_(pyarrow.int64())),
            ),
            id="a map of lists",
        ),
        pytest.param(pyarrow.array([[1.5] * KIB] * 2, pyarrow.list_(pyarrow.float32(), KIB)), id="a vector"),
    ],
)
def test_what_is_nested_counts_as_a_whole(note: Any) -> None:
    with pytest.raises(InputTooLarge, match=r"Row 0 .* 'note'"):
        cut(parquet(x=[1.0, 2.0], note=note), "parquet", NUMBERS, SMALL)


def test_a_row_of_many_cells_is_bounded_too() -> None:
    columns = {f"note{number}": ["a" * (1 << 20)] for number in range(10)}
    with pytest.raises(InputTooLarge, match=f"Row 0 .* more than {MAX_ROW_BYTES} bytes"):
        cut(parquet(x=[1.0], **columns), "parquet", NUMBERS, Limits())


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="dictionary"),
        pytest.param({"use_dictionary": False, "data_page_size": 1 << 30}, id="one page"),
        pytest.param(
            {"use_dictionary": False, "column_encoding": {"note": "DELTA_BYTE_ARRAY"}}, id="prefixes"
        ),
    ],
)
def test_rows_that_repeat_a_long_text_come_in_small_pieces(options: Any) -> None:
    rows, text = 200, "a" * 500_000
    data = parquet(x=[1.0] * rows, note=[text] * rows, options=options)
    assert len(data) < 100_000
    tracemalloc.start()
    seen = 0
    for chunk in Preparation(io.BytesIO(data), "parquet", NUMBERS, None).chunks():
        assert chunk.keys["note"] == [text] * chunk.rows
        seen += chunk.rows
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == rows
    # All of it is 100 MB.
    assert peak < 50_000_000


def test_a_file_that_says_it_is_too_much_is_not_read_at_all() -> None:
    rows = 300_000
    data = parquet(x=pyarrow.array([0.5] * rows), note=pyarrow.array(["a"] * rows))
    with pytest.raises(InputTooLarge, match=r"more than 1,000,000 bytes when they are decoded.*key_columns"):
        cut(data, "parquet", NUMBERS, Limits(job_bytes=1_000_000))
    assert sum(chunk.rows for chunk in cut(data, "parquet", NUMBERS, Limits())) == rows


def test_a_small_file_may_stand_for_less_than_a_large_one() -> None:
    limits = Limits(job_bytes=4_000_000_000)
    assert limits.allowance(1700).most == (256 << 20) + 170_000
    assert limits.allowance(1_000_000_000).most == 4_000_000_000
    with pytest.raises(InputTooLarge, match="for a file of 1,700 bytes: submit it in several smaller files"):
        limits.allowance(1700).require(300_000_000)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_name_that_every_row_would_repeat_is_bounded(form: str) -> None:
    name = "n" * 2000
    data = {
        "csv": f"x,{name}\n1,2\n".encode(),
        "jsonl": json.dumps({"x": 1.0, name: 2}).encode(),
        "parquet": parquet(**{"x": [1.0], name: [2]}),
    }[form]
    with pytest.raises(InputTooLarge, match=r"'nnnn.* has more than 1024 characters: rename it"):
        cut(data, form, NUMBERS, Limits())


def test_rows_that_repeat_long_names_come_in_small_blocks() -> None:
    names = [f"{number:03d}{'n' * 997}" for number in range(200)]
    data = json.dumps(dict.fromkeys(names, 1) | {"x": 1.0}).encode() + b'\n{"x": 1.0}' * 5000
    chunks = cut(data, "jsonl", NUMBERS, Limits())
    assert sum(chunk.rows for chunk in chunks) == 5001
    assert chunks[0].rows < 100
    table = "\n".join([",".join(names), *[",".join(["1"] * 200)] * 500])
    assert {len(chunk.inputs) <= MAX_BYTES for chunk in cut(table.encode(), "csv", None, Limits())} == {True}


def test_a_model_of_very_many_columns_does_not_make_a_narrow_file_large() -> None:
    columns = [{"name": f"c{n}", "kind": "number", "optional": True, "dtype": "float64"} for n in range(2000)]
    signature = {"columns": columns, "input": "rows"}
    data = b"c0\n" + b"1\n" * 5000
    tracemalloc.start()
    assert sum(chunk.rows for chunk in Preparation(io.BytesIO(data), "csv", signature, None).chunks()) == 5000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30_000_000


def test_each_row_of_an_array_is_measured_as_its_own_value() -> None:
    texts = pyarrow.array(["ab", None, "abcd"])
    assert row_bytes(texts.dictionary_encode()).to_pylist() == [2, 8, 4]
    assert row_bytes(pyarrow.array([["ab", "c"], None, []])).to_pylist() == [11, 8, 8]
    assert row_bytes(pyarrow.array([["ab", "c"], None, []]).slice(1)).to_pylist() == [8, 8]
    assert row_bytes(pyarrow.array([{"a": "xyz", "b": 1}])).to_pylist() == [19]
    assert row_bytes(pyarrow.nulls(2)).to_pylist() == [8, 8]
