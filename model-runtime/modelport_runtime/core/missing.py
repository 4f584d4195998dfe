"""A model that raises over a missing value was asked what it cannot answer: the request is at fault."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from modelport_runtime.core.describing.categories import is_missing
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import Failure, FieldError, Request

_SAID = re.compile(r"\bNaN\b|\bNone(Type)?\b|missing value|\bnull\b", re.IGNORECASE)
_MAX_ERRORS = 100


def refused(error: BaseException, request: Request, signature: Signature) -> Failure | None:
    """Give the 422 that names the columns which are null, if it is that what the model complains of."""
    if not isinstance(error, ValueError | TypeError) or not _SAID.search(str(error)):
        return None
    errors = _missing(request, signature)
    if not errors:
        return None
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Failure(422, "Invalid input", f"{first['field']} {first['message']}{more}", errors=errors)


def _missing(request: Request, signature: Signature) -> list[FieldError]:
    return [
        FieldError(
            field=_field(request, signature, row, column), message="must not be null: the model refuses it"
        )
        for row, column in _places(request.rows)
    ][:_MAX_ERRORS]


def _places(rows: Iterable[Any]) -> Iterable[tuple[int, int]]:
    for row, values in enumerate(rows):
        if isinstance(values, list | tuple | np.ndarray):
            yield from ((row, column) for column, value in enumerate(values) if is_missing(value))


def _field(request: Request, signature: Signature, row: int, column: int) -> str:
    start = "input" if request.single else f"inputs[{row}]"
    if signature.columns is None or signature.positional:
        return f"{start}[{column}]"
    return f"{start}.{signature.columns[column].name}"
