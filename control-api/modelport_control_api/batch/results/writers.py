"""Results as a download in pieces: JSON Lines, CSV and Parquet, one chunk at a time, however long the job."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from modelport_control_api.batch.results.columns import (
    Columns,
    as_text,
    class_values,
    error_values,
    key_values,
    row_numbers,
    shown_key,
    term_names,
    term_values,
)
from modelport_control_api.batch.storage.chunks import ChunkResults, read_results
from modelport_control_api.batch.storage.files import BatchFiles

if TYPE_CHECKING:
    import pyarrow


class Writer(Protocol):
    """`begin`, then `rows` for each chunk in order, then `end`: together they are the file."""

    def begin(self) -> bytes: ...

    def rows(self, results: ChunkResults) -> bytes: ...

    def end(self) -> bytes: ...


class JsonLinesWriter:
    """`{"customer": "c1", "row": 0, "prediction": "setosa", "probabilities": {…}, "error": null}`"""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        return b""

    def rows(self, results: ChunkResults) -> bytes:
        """Return a line for each row, with the keys of this chunk only."""
        contributions = results.contributions
        keys = [shown_key(name, contributions=contributions is not None) for name in results.keys]
        names = [*keys, "row", "prediction"]
        values: list[Any] = [*results.keys.values(), row_numbers(results), results.predictions]
        if results.probabilities is not None:
            names.append("probabilities")
            values.append(results.probabilities)
        if contributions is not None:
            names.append("contributions")
            values.append(contributions.shown())
        names.append("error")
        values.append(error_values(results))
        lines = (dict(zip(names, row, strict=True)) for row in zip(*values, strict=True))
        return b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)

    def end(self) -> bytes:
        return b""


class CsvWriter:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        return _csv([_header(self._columns)])

    def rows(self, results: ChunkResults) -> bytes:
        """Return a line for each row. What a row does not have is an empty cell."""
        columns = self._columns
        values = [
            *(map(_cell, key_values(results, name)) for name in columns.keys),
            row_numbers(results),
            map(_cell, results.predictions),
            *(map(_cell, class_values(results, name)) for name in columns.classes),
            *(map(_cell, values) for values in term_values(results, columns.terms)),
            error_values(results),
        ]
        return _csv(zip(*values, strict=True))

    def end(self) -> bytes:
        return b""


class ParquetWriter:
    """A row group for each chunk."""

    def __init__(self, columns: Columns) -> None:
        import pyarrow.parquet

        self._columns = columns
        self._schema = _schema(columns)
        self._sink = _Sink()
        self._writer = pyarrow.parquet.ParquetWriter(self._sink, self._schema)

    def begin(self) -> bytes:
        return self._sink.take()

    def rows(self, results: ChunkResults) -> bytes:
        """Return what the file grows by. The columns must have seen the chunk before the writer was made."""
        import pyarrow

        columns = self._columns
        values = [
            *(key_values(results, name) for name in columns.keys),
            row_numbers(results),
            results.predictions,
            *(class_values(results, name) for name in columns.classes),
            *term_values(results, columns.terms),
            error_values(results),
        ]
        arrays = [
            pyarrow.array(_of_type(each, field.type), field.type)
            for each, field in zip(values, self._schema, strict=True)
        ]
        self._writer.write_batch(pyarrow.RecordBatch.from_arrays(arrays, schema=self._schema))
        return self._sink.take()

    def end(self) -> bytes:
        self._writer.close()
        return self._sink.take()


WRITERS: dict[str, type[JsonLinesWriter] | type[CsvWriter] | type[ParquetWriter]] = {
    "jsonl": JsonLinesWriter,
    "csv": CsvWriter,
    "parquet": ParquetWriter,
}


class _Sink(io.RawIOBase):
    """A file that keeps only what nobody has taken yet."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: Any, /) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _header(columns: Columns) -> list[str]:
    probabilities = [f"probability_{name}" for name in columns.classes]
    return [
        *map(columns.shown_key, columns.keys),
        "row",
        "prediction",
        *probabilities,
        *term_names(columns.terms),
        "error",
    ]


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return as_text(value)


def _csv(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _schema(columns: Columns) -> "pyarrow.Schema":
    import pyarrow

    names = _header(columns)
    texts: dict[str, set[str]] = {
        name: {"str"} for name in ("error", "contributions_scale", "contributions_class")
    }
    kinds = {"row": {"int"}} | texts | columns.kinds
    types = [_arrow_type(kinds.get(name, {"float"})) for name in names]
    return pyarrow.schema(list(zip(names, types, strict=True)))


def _arrow_type(kinds: set[str]) -> Any:
    import pyarrow

    if kinds == {"bool"}:
        return pyarrow.bool_()
    if kinds == {"int"}:
        return pyarrow.int64()
    if kinds and kinds <= {"int", "float"}:
        return pyarrow.float64()
    return pyarrow.string()


def _of_type(values: Any, kind: Any) -> list[Any]:
    import pyarrow.types

    if pyarrow.types.is_string(kind):
        return [None if value is None else as_text(value) for value in values]
    if pyarrow.types.is_floating(kind):
        return [float(value) if isinstance(value, int | float) else None for value in values]
    return list(values)


MEDIA_TYPES = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}


async def stream_results(
    files: BatchFiles, job_id: str, chunks: Sequence[int], output_format: str
) -> AsyncIterator[bytes]:
    """Return the file of `chunks`' results, in that order. Raises `FileNotFoundError` if they are gone."""
    columns = Columns()
    if output_format != "jsonl":
        # A table's columns must be known before its first row.
        for number in chunks:
            columns.see(await _read(files, job_id, number))
    writer: Writer = WRITERS[output_format](columns)
    yield writer.begin()
    for number in chunks:
        results = await _read(files, job_id, number)
        yield await asyncio.to_thread(writer.rows, results)
    yield writer.end()


async def _read(files: BatchFiles, job_id: str, number: int) -> ChunkResults:
    data = await files.read_result(job_id, number)
    return await asyncio.to_thread(read_results, data)
