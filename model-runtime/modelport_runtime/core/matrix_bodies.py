"""Bodies that are the matrix itself, for clients that send thousands of rows of numbers.

A head of 16 bytes, then rows × columns little-endian float64, row by row; NaN is a missing value. It gets the
predictions that the same numbers get as JSON, and where a number is wrong the same words.
"""

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from modelport_runtime.core.rows import Problems
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import Failure, Rejected, Request

MAGIC = b"MPM1"
_HEAD = struct.Struct("<4sIII")
"""Magic, outputs (1: prediction, 2: probabilities, 3: both), rows, columns."""
_OUTPUTS = {1: ("prediction",), 2: ("probabilities",), 3: ("prediction", "probabilities")}
_NUMBER_BYTES = 8

Matrix = np.ndarray[Any, np.dtype[np.float64]]
ReadRows = Callable[[list[Any]], Any]
"""Takes rows as JSON has them, and raises `Rejected` with all that is wrong."""


class MatrixBodies:
    def __init__(self, signature: Signature, read_rows: ReadRows) -> None:
        self._read_rows = read_rows
        self._outputs = signature.outputs
        columns = signature.columns or ()
        self._takes_any = bool(columns) and all(
            column.kind == "number" and column.dtype == "float64" and column.values is None
            for column in columns
        )
        self._width = len(columns)
        self._required = [place for place, column in enumerate(columns) if not column.optional]

    def read(self, body: bytes) -> Request:
        """Raises `Rejected`: 400 for what is no such body, 415 if the model takes none, 422 for numbers."""
        if not self._takes_any:
            raise Rejected(Failure(415, "Unsupported Media Type", "This model takes its rows as JSON only."))
        outputs, matrix = _parse(body)
        if not set(outputs) <= set(self._outputs):
            raise _malformed("its outputs are not among those of the model")
        if not self._fits(matrix):
            self._describe(matrix)
        return Request(matrix, False, outputs)

    def _fits(self, matrix: Matrix) -> bool:
        if matrix.shape[1] != self._width or len(matrix) == 0:
            return False
        if np.isfinite(matrix).all():
            return True
        return not (np.isinf(matrix).any() or np.isnan(matrix[:, self._required]).any())

    def _describe(self, matrix: Matrix) -> None:
        """Raise for what does not fit, as the reader of JSON does."""
        if len(matrix) == 0:
            raise _malformed("it has no rows")
        problems = Problems()
        for row, column in np.argwhere(np.isinf(matrix)).tolist():
            problems.add(f"inputs[{row}][{column}]", "must be a finite number")
        problems.raise_if_any()
        self._read_rows([[None if math.isnan(value) else value for value in row] for row in matrix.tolist()])


def _parse(body: bytes) -> tuple[tuple[str, ...], Matrix]:
    if len(body) < _HEAD.size:
        raise _malformed("it is shorter than its head")
    magic, wanted, rows, columns = _HEAD.unpack_from(body)
    if magic != MAGIC or wanted not in _OUTPUTS:
        raise _malformed("its head is none of this format")
    if len(body) - _HEAD.size != rows * columns * _NUMBER_BYTES:
        raise _malformed("its length is not that of its rows and columns")
    # A copy of its own: a model may change what it is given.
    numbers = np.frombuffer(body, "<f8", offset=_HEAD.size).astype(np.float64)
    return _OUTPUTS[wanted], numbers.reshape(rows, columns)


def _malformed(what: str) -> Rejected:
    return Rejected(Failure(400, "Not a matrix", f"The body is no matrix of float64: {what}."))
