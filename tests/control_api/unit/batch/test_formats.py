"""Inputs in four formats: the same rows in all of them, and bad ones that say what is wrong with them."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import hypothesis.strategies as st
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from modelport_control_api.batch.formats.limits import InputInvalid
from modelport_control_api.batch.preparation import Preparation
from modelport_control_api.batch.storage.chunks import MAX_BYTES, MAX_ROWS, Chunk, read_chunk, write_chunk

COLUMNS = [("age", "number"), ("visits", "integer"), ("town", "string"), ("member", "boolean")]
NAMES = [name for name, _ in COLUMNS]
SIGNATURE: dict[str, Any] = {
    "columns": [{"name": name, "kind": kind, "optional": True} for name, kind in COLUMNS],
    "positional": False,
    "input": "rows",
}
# A carriage return alone ends a line in CSV; NUL is none of text files.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1)
rows_of_all = st.lists(
    st.tuples(
        texts,
        st.floats(allow_nan=False, allow_infinity=False) | st.none(),
        st.integers(-(2**53), 2**53) | st.none(),
        texts | st.none(),
        st.booleans() | st.none(),
    ),
    min_size=1,
    max_size=30,
)


def cut(data: bytes, form: str, keys: Sequence[str] | None = None, **changed: Any) -> list[Chunk]:
    chunks = list(Preparation(io.BytesIO(data), form, {**SIGNATURE, **changed}, keys).chunks())
    assert [read_chunk(write_chunk(chunk)) for chunk in chunks] == chunks
    return chunks


def input_rows(chunks: Sequence[Chunk]) -> list[list[Any]]:
    """All rows as lists in the signature's order."""
    rows = [row for chunk in chunks for row in json.loads(chunk.inputs)]
    return [[row.get(name) for name in NAMES] if isinstance(row, dict) else row for row in rows]


def as_csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", *NAMES])
    writer.writerows([json.dumps(v) if isinstance(v, bool) else v for v in row] for row in rows)
    return text.getvalue().encode()


def as_parquet(rows: Sequence[Sequence[Any]]) -> bytes:
    kinds = [pyarrow.string(), pyarrow.float64(), pyarrow.int64(), pyarrow.string(), pyarrow.bool_()]
    columns = [pyarrow.array(cells, kind) for cells, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, names=["id", *NAMES]), file)
    return file.getvalue()


def in_all_formats(rows: Sequence[Sequence[Any]]) -> dict[str, bytes]:
    objects = [dict(zip(["id", *NAMES], row, strict=True)) for row in rows]
    return {
        "csv": as_csv(rows),
        "jsonl": "\n".join(json.dumps(each) for each in objects).encode(),
        "json": json.dumps({"inputs": objects}).encode(),
        "parquet": as_parquet(rows),
    }


@given(rows_of_all)
@settings(max_examples=60, deadline=None)
def test_every_format_gives_the_same_rows_and_keys(rows: list[tuple[Any, ...]]) -> None:
    for form, data in in_all_formats(rows).items():
        chunks = cut(data, form)
        assert input_rows(chunks) == [list(row[1:]) for row in rows], form
        assert [key for chunk in chunks for key in chunk.keys["id"]] == [row[0] for row in rows]
        assert not any(chunk.errors for chunk in chunks)


@given(st.binary(max_size=300), st.sampled_from(["csv", "jsonl", "json", "parquet"]))
@settings(max_examples=300, deadline=None)
def test_whatever_bytes_come_every_row_is_an_input_or_an_error(data: bytes, form: str) -> None:
    try:
        chunks = cut(data, form)
    except InputInvalid:
        return
    for chunk in chunks:
        assert len(json.loads(chunk.inputs)) + len(chunk.errors) == chunk.rows
        assert all(len(values) == chunk.rows for values in chunk.keys.values())


@pytest.mark.parametrize(
    ("form", "row", "words"),
    [
        ("csv", "k,1,2", "has 3 cells, but the first line names 5 columns"),
        ("csv", "k,young,2,Rome,true", "age must be a number, not 'young'"),
        ("csv", "k,1_000,2.5,Rome,maybe", "age must be a number, not '1_000'; visits must be a whole number"),
        ("csv", "k,1e999,2,Rome,true", "age must be a finite number"),
        ("csv", "k,1,2,R\udcf6m,true", "town is not UTF-8 text"),
        ("csv", f"k,1,2,{'x' * 140_000},true", "cannot be read as CSV"),
        ("jsonl", '{"age": 1, "visits":', "is not JSON"),
        ("jsonl", '{"age": NaN}', "is not JSON"),
        ("jsonl", "17", "must be an object or a list, not a number"),
        ("jsonl", '{"id": "k", "input": "Rome"}', "must be an object or a list, not a string"),
    ],
)
def test_a_bad_row_says_what_is_wrong_and_harms_no_other(form: str, row: str, words: str) -> None:
    good = "k,1,2,Rome,true" if form == "csv" else '{"age": 1, "visits": 2, "town": "Rome", "member": true}'
    head = f"id,{','.join(NAMES)}\n" if form == "csv" else ""
    data = f"{head}{good}\n{row}\n{good}\n".encode(errors="surrogateescape")
    (chunk,) = cut(data, form)
    assert chunk.errors.keys() == {1}
    assert words in chunk.errors[1]
    assert input_rows([chunk]) == [[1, 2, "Rome", True]] * 2


@pytest.mark.parametrize(
    ("form", "data", "words"),
    [
        ("csv", b"", "is empty"),
        ("csv", b"id,age,age\n1,2,3\n", "several columns of the name 'age'"),
        ("json", b'{"inputs": [[1, 2], [3', "breaks off or is malformed at or behind row 1"),
        ("json", b'{"inputs": [[1, 2]], "return": []}', "breaks off or is malformed"),
        ("json", b"\xff\xfe[", "is not UTF-8"),
        ("parquet", b"PAR1 and nothing", "cannot be read as Parquet"),
        ("jsonl", b"\n\n", "has no rows"),
    ],
)
def test_what_is_no_input_is_refused_with_a_reason(form: str, data: bytes, words: str) -> None:
    with pytest.raises(InputInvalid, match=words):
        cut(data, form)


def test_chunks_are_bounded_and_the_same_each_time() -> None:
    wide = json.dumps({"age": 1.5, "town": "x" * 3000})
    data = "\n".join([wide] * 2000 + ['{"age": 2.5}'] * 12_000).encode()
    chunks = cut(data, "jsonl")
    assert max(len(chunk.inputs) for chunk in chunks) <= MAX_BYTES
    assert max(chunk.rows for chunk in chunks) == MAX_ROWS
    ends = [chunk.first_row + chunk.rows for chunk in chunks]
    assert [chunk.first_row for chunk in chunks] == [0, *ends[:-1]]
    assert sum(chunk.rows for chunk in chunks) == 14_000
    assert cut(data, "jsonl") == chunks


NUMBERS = [
    ("number", "float64", None),
    ("integer", "int64", None),
    ("number", "float32", None),
    ("number", "float64", [0, 1]),
    ("any", "float64", None),
    ("boolean", "float64", None),
    ("boolean", "bool", [True, False]),
    ("any", "object", [True, False, "x"]),
]


@pytest.mark.parametrize("word", ["True", "true"])
@pytest.mark.parametrize(("kind", "dtype", "values"), NUMBERS)
def test_a_boolean_of_csv_reaches_the_runtime_as_one_of_the_other_formats_does(
    kind: str, dtype: str, values: list[Any] | None, word: str
) -> None:
    column = {"name": "paid", "kind": kind, "dtype": dtype, "optional": True, "values": values}
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"paid": [True, False, None]}), file)
    false = {"True": "False", "true": "false"}[word]
    inputs = {
        "csv": f'paid\n{word}\n{false}\n""\n',
        "jsonl": '{"paid": true}\n{"paid": false}\n{"paid": null}\n',
        "parquet": file.getvalue(),
    }
    for form, text in inputs.items():
        (chunk,) = cut(text.encode() if isinstance(text, str) else text, form, columns=[column])
        assert chunk.errors == {}
        rows = [row["paid"] if isinstance(row, dict) else row[0] for row in json.loads(chunk.as_json())]
        assert [repr(value) for value in rows] == ["True", "False", "None"], form


def test_rows_with_booleans_among_numbers_make_no_larger_chunks_than_others() -> None:
    column = {"name": "paid", "kind": "number", "dtype": "float64", "optional": False}
    data = "paid\n" + "1.5\n" * 7000 + "True\n" + "2.5\n" * 500
    chunks = cut(data.encode(), "csv", columns=[column])
    assert sum(chunk.rows for chunk in chunks) == 7501
    assert all(chunk.rows <= MAX_ROWS or chunk.columns for chunk in chunks)
    values = [row[0] for chunk in chunks for row in json.loads(chunk.as_json())]
    assert values == [1.5] * 7000 + [True] + [2.5] * 500


def test_columns_by_position_texts_and_rows_of_unknown_width() -> None:
    by_position = {"positional": True}
    (chunk,) = cut(b"customer,a,b,c,d\nk,1,2,Rome,true\n", "csv", ["customer"], **by_position)
    assert (json.loads(chunk.inputs), chunk.keys) == ([[1.0, 2, "Rome", True]], {"customer": ["k"]})
    with pytest.raises(InputInvalid, match="name the columns that only identify a row in key_columns"):
        cut(b"customer,a,b,c,d\nk,1,2,Rome,true\n", "csv", **by_position)
    (chunk,) = cut(b"id,text\n7,win a prize\n", "csv", input="text", columns=None)
    assert (json.loads(chunk.inputs), chunk.keys) == (["win a prize"], {"id": ["7"]})
    (chunk,) = cut(b"id,a,b\n7,1.5,red\n", "csv", ["id"], columns=None)
    assert (json.loads(chunk.inputs), chunk.keys) == ([{"a": 1.5, "b": "red"}], {"id": ["7"]})


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
def test_all_columns_may_stand_beside_the_results(form: str) -> None:
    rows = [("a", 1.5, 2, "Bonn", True), ("b", None, 3, "Ulm", False)]
    chunks = cut(in_all_formats(rows)[form], form, ["*"])
    assert input_rows(chunks) == [list(row[1:]) for row in rows]
    assert set(chunks[0].keys) == {"id", *NAMES}
    assert (chunks[0].keys["id"], chunks[0].keys["town"]) == (["a", "b"], ["Bonn", "Ulm"])


def test_a_row_beside_its_keys_may_stand_there_too() -> None:
    data = json.dumps({"id": "a", "input": {"age": 1.5}}).encode()
    [chunk] = cut(data, "jsonl", ["*"])
    assert chunk.keys == {"id": ["a"], "age": [1.5]}
    assert json.loads(chunk.inputs) == [{"age": 1.5}]
