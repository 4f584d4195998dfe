"""A chunk of a job's rows and the responses to it, as the files between preparation, worker and download.

Both are msgpack. A chunk holds its rows as the JSON text or the matrix that is sent to a pod, so that
nobody has to read and write them again.
"""

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import orjson
from modelport_http.wording import counted

from modelport_control_api.batch.storage.contributions import Contributions

MAX_ROWS = 5000
MAX_MATRIX_ROWS = 20_000
"""What a request costs beside the model weighs more where rows of numbers cost next to nothing."""
MAX_BYTES = 2 << 20
"""Of a chunk's rows. A single row that is longer makes a chunk of its own."""


Named = dict[str, Any] | list[dict[str, Any]]


class Chunk(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Rows `first_row` to `first_row + rows - 1` of the input, counted from 0.

    `errors`: place in the chunk → why that row cannot be sent.
    `inputs`: the JSON list of all others, in order; or, where `columns` is not 0, the numbers of all others,
    row by row, as a pod takes a matrix: little-endian float64, NaN where a value is missing.
    `keys`: name → one value for each row, the bad ones too; None where a row has none.
    `numbers`: each row's place in the input, where those do not follow each other from `first_row` on.
    """

    first_row: int
    rows: int
    inputs: bytes
    errors: dict[int, str]
    keys: dict[str, list[Any]]
    columns: int = 0
    numbers: list[int] | None = None

    @property
    def sendable(self) -> int:
        """How many rows `inputs` holds."""
        return self.rows - len(self.errors)

    def as_json(self) -> bytes:
        """The JSON list of the rows, however they are kept."""
        if not self.columns:
            return self.inputs
        numbers = [None if math.isnan(number) else number for number in array("d", self.inputs)]
        starts = range(0, len(numbers), self.columns)
        return orjson.dumps([numbers[start : start + self.columns] for start in starts])


class ChunkResults(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A value for each row of a chunk; a row with an entry in `errors` has None for prediction.

    `probabilities` is None unless the job requested them; else each row's, class → number, or a list of such
    of several labels.
    """

    first_row: int
    rows: int
    predictions: list[Any]
    probabilities: list[Named | None] | None
    errors: dict[int, str]
    keys: dict[str, list[Any]]
    numbers: list[int] | None = None
    """As in `Chunk`."""
    contributions: Contributions | None = None
    """None unless the job requested them."""


_read_chunk = msgspec.msgpack.Decoder(Chunk).decode
_read_results = msgspec.msgpack.Decoder(ChunkResults).decode
_write = msgspec.msgpack.Encoder().encode


def write_chunk(chunk: Chunk) -> bytes:
    """Return the content of a chunk's file, for `read_chunk`."""
    return _write(chunk)


def read_chunk(data: bytes) -> Chunk:
    """Raises `msgspec.MsgspecError` for what `write_chunk` did not write."""
    return _read_chunk(data)


def write_results(results: ChunkResults) -> bytes:
    """Return the content of a result file, for `read_results`."""
    return _write(results)


def read_results(data: bytes) -> ChunkResults:
    """Raises `msgspec.MsgspecError` for what `write_results` did not write."""
    return _read_results(data)


def combine(
    chunk: Chunk,
    predictions: Sequence[Any],
    probabilities: Sequence[Named | None] | None,
    errors: Mapping[int, str],
    contributions: Contributions | None = None,
) -> ChunkResults:
    """Put the predictions beside the rows. The arguments are about the rows that were sent: those of
    `inputs`.

    `errors`: place among them → why there is no prediction; the sequences hold None there.
    Raises `ValueError` for another number of predictions than of rows.
    """
    if len(predictions) != chunk.sendable or (probabilities and len(probabilities) != chunk.sendable):
        raise ValueError(f"{counted(len(predictions), 'prediction')} for {counted(chunk.sendable, 'row')}")
    if not chunk.errors:
        given = None if probabilities is None else list(probabilities)
        return ChunkResults(
            chunk.first_row,
            chunk.rows,
            list(predictions),
            given,
            dict(errors),
            chunk.keys,
            chunk.numbers,
            contributions,
        )
    sent = [place for place in range(chunk.rows) if place not in chunk.errors]
    return ChunkResults(
        chunk.first_row,
        chunk.rows,
        _spread(sent, predictions, chunk.rows),
        None if probabilities is None else _spread(sent, probabilities, chunk.rows),
        dict(sorted({**chunk.errors, **{sent[place]: text for place, text in errors.items()}}.items())),
        chunk.keys,
        chunk.numbers,
        contributions and Contributions(contributions.terms, _spread(sent, contributions.rows, chunk.rows)),
    )


def _spread(places: Sequence[int], values: Sequence[Any], size: int) -> list[Any]:
    spread: list[Any] = [None] * size
    for place, value in zip(places, values, strict=True):
        spread[place] = value
    return spread
