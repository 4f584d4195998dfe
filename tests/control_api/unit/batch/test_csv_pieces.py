"""Lines read thousands at once, and row by row: the same numbers, the same keys, the same errors."""

import io
from array import array
from collections.abc import Sequence
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from modelport_control_api.batch.formats import csv_input
from modelport_control_api.batch.formats.csv_pieces import PieceReader
from modelport_control_api.batch.formats.limits import InputInvalid
from modelport_control_api.batch.preparation import Preparation
from modelport_control_api.batch.storage.chunks import MAX_MATRIX_ROWS, Chunk


def signature(*, optional: bool = False) -> dict[str, Any]:
    column = {"kind": "number", "dtype": "float64", "optional": optional, "values": None}
    return {
        "columns": [{"name": name, **column} for name in ("a", "b")],
        "positional": False,
        "input": "rows",
    }


def cut(
    data: bytes, *, by_row: bool, keys: Sequence[str] | None = None, optional: bool = False
) -> list[Chunk]:
    made = Preparation(io.BytesIO(data), "csv", signature(optional=optional), keys, by_row=by_row)
    return list(made.chunks())


def reported(chunks: Sequence[Chunk]) -> tuple[bytes, dict[int, str], dict[str, list[Any]]]:
    """All that they hold, in whichever chunk."""
    errors = {chunk.first_row + place: text for chunk in chunks for place, text in chunk.errors.items()}
    names = {name for chunk in chunks for name in chunk.keys}
    keys = {name: [key for chunk in chunks for key in chunk.keys[name]] for name in names}
    return b"".join(chunk.inputs for chunk in chunks), errors, keys


def outcome(data: bytes, *, by_row: bool, optional: bool) -> object:
    try:
        return reported(cut(data, by_row=by_row, optional=optional))
    except InputInvalid as error:
        return str(error)


numbers = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**25), 10**25).map(str),
    st.sampled_from(
        [
            "",
            " ",
            "1.",
            ".5",
            "+1",
            "1e5",
            "1E-400",
            "1e999",
            "nan",
            "-nan",
            "NA",
            "null",
            "inf",
            "1_0",
            "0x1",
            "1d3",
        ]
    ),
    st.tuples(st.sampled_from([" ", "\t", ""]), st.floats(0, 1).map(repr)).map("".join),
)
keys = st.one_of(st.text(max_size=6), st.sampled_from(["7", "", "é", '"', '""', "a\rb", "a\nb", "\0", "NA"]))
plain = st.tuples(keys, numbers, numbers).map(",".join)
quoted = st.tuples(keys, numbers, numbers).map(lambda cells: ",".join(f'"{cell}"' for cell in cells))
lines = st.lists(st.one_of(plain, quoted, st.just(""), st.text(max_size=8)), max_size=12)


@given(lines, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
@settings(max_examples=600, deadline=None)
def test_both_ways_tell_the_same(given: list[str], end: str, mark: bool, optional: bool) -> None:
    text = end.join(["id,b,a", *given, "last,1,2"])
    data = (b"\xef\xbb\xbf" if mark else b"") + text.encode(errors="surrogatepass")
    assert outcome(data, by_row=False, optional=optional) == outcome(data, by_row=True, optional=optional)


def test_usual_lines_never_go_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a row was read alone")

    monkeypatch.setattr(csv_input._Table, "read", fail)
    data = 'id,"b",a\n' + "\n".join(f'"k{row}",{row}.5,{row * 1e-3!r}' for row in range(30_000))
    chunks = cut(data.encode(), by_row=False)
    assert [chunk.rows for chunk in chunks] == [MAX_MATRIX_ROWS, 10_000]
    assert array("d", reported(chunks)[0])[:4].tolist() == [0.0, 0.5, 0.001, 1.5]
    assert reported(chunks)[2]["id"][-1] == "k29999"


def test_a_row_of_several_lines_ends_the_reading_of_lines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[bytes] = []
    read = PieceReader.read

    def noting(self: PieceReader, piece: bytes) -> Any:
        pieces.append(piece)
        return read(self, piece)

    monkeypatch.setattr(PieceReader, "read", noting)
    usual = "".join(f"k,{row},1\n" for row in range(MAX_MATRIX_ROWS))
    data = f'id,b,a\n{usual}"two\nlines",5,1\n{usual}k,no,1\n'.encode()
    chunks = cut(data, by_row=False)
    assert len(pieces) == 1
    assert reported(chunks) == reported(cut(data, by_row=True))
    assert reported(chunks)[1] == {2 * MAX_MATRIX_ROWS + 1: "b must be a number, not 'no'"}


def test_a_column_may_be_key_and_feature() -> None:
    data = b"a,b\n1.50,2\n"
    (chunk,) = cut(data, by_row=False, keys=["a"])
    assert (chunk.as_json(), chunk.keys) == (b"[[1.5,2.0]]", {"a": ["1.50"]})


def test_what_is_missing_is_null_as_json() -> None:
    (chunk,) = cut(b"a,b\n,2\n1,\nx,3\n", by_row=False, optional=True)
    assert (chunk.as_json(), list(chunk.errors)) == (b"[[null,2.0],[1.0,null]]", [2])
