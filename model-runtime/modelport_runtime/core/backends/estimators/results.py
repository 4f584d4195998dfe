"""What a method of an estimator gave → rows: an array with rows first, or a list of one item a row."""

from typing import Any

import numpy as np
from modelport_http.wording import counted

Rows = Any

_MAX_DENSE_CELLS = 10_000_000
"""A sparse result is written out as a dense one; beyond this it would be a body of tens of megabytes."""


class Unreadable(Exception):
    """A result of which it is unclear what belongs to which row or class."""


def rows_of(result: Any, method: str) -> Rows:
    """Raises `Unreadable` for what is not one result a row."""
    if hasattr(result, "toarray"):
        return _dense(result)
    if hasattr(result, "to_numpy"):
        result = result.to_numpy()
    if isinstance(result, np.ndarray) and result.ndim:
        return result
    if isinstance(result, tuple) and any(np.ndim(part) for part in result):
        raise Unreadable(f"{method} gave a tuple of {counted(len(result), 'result')}: return one of them")
    if isinstance(result, list | tuple):
        return list(result)
    raise Unreadable(f"{method} gave a {type(result).__name__}, not one result a row")


def _dense(result: Any) -> Any:
    if np.prod(result.shape) > _MAX_DENSE_CELLS:
        raise Unreadable(f"the cells of the sparse result {result.shape} are too many to write out")
    return result.toarray()
