"""Does each row of an ONNX graph get its own prediction, whatever stands beside it? Requests are put
together.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from modelport_runtime.core.backends.onnx.inputs import Feeds
from modelport_runtime.core.types import LoadError

Predict = Callable[[Feeds], Sequence[np.ndarray[Any, Any]] | None]
"""Gives the outputs that are arrays, rows first; None: the graph refuses these values."""
_TOLERANCE = 1e-2
"""Of the largest number: kernels for other sizes round otherwise, those of half floats most."""


def require(predict: Predict, drawn: Iterable[Feeds]) -> None:
    """Raises `LoadError` if the rows of what was drawn depend on each other, and more than once."""
    if sum(_depend(predict, feeds) for feeds in drawn) > 1:
        raise LoadError(
            "SampleFailed",
            "The graph gives a row another prediction in a batch than alone. Rows are put into batches here: "
            "make each prediction depend on its own row only.",
        )


def fills_up(predict: Predict, drawn: Iterable[Feeds]) -> bool:
    """Return whether a row gets a longer prediction beside others than alone: as tokens of texts are filled
    up to the longest."""
    return any(
        len(one.shape) > 1 and len(both) == _rows(feeds) and both.shape[1:] != one.shape[1:]
        for feeds in drawn
        if (together := predict(feeds)) is not None
        for row in range(_rows(feeds))
        if (alone := predict(_row(feeds, row))) is not None
        for both, one in zip(together, alone, strict=True)
    )


def _depend(predict: Predict, feeds: Feeds) -> bool:
    together, again = predict(feeds), predict(feeds)
    # What is drawn by chance differs from itself, too.
    if together is None or again is None or not _alike(together, again):
        return False
    for row in range(_rows(feeds)):
        alone = predict(_row(feeds, row))
        if alone is not None and not _alike([each[row : row + 1] for each in together], alone):
            return True
    return False


def _rows(feeds: Feeds) -> int:
    return len(next(iter(feeds.values())))


def _row(feeds: Feeds, row: int) -> Feeds:
    return {name: values[row : row + 1] for name, values in feeds.items()}


def _alike(ones: Sequence[np.ndarray[Any, Any]], others: Sequence[np.ndarray[Any, Any]]) -> bool:
    return all(map(_close, ones, others))


def _close(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    # A label may be any of two that are equally likely, and a length any that fills the batch.
    if one.dtype.kind != "f" or one.shape != other.shape:
        return True
    largest = np.abs(one, where=np.isfinite(one), out=np.ones_like(one)).max(initial=1)
    return bool(np.allclose(one, other, rtol=0, atol=_TOLERANCE * float(largest), equal_nan=True))
