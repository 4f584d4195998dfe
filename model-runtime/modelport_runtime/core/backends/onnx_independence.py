"""Does each row of an ONNX graph get its own answer, whatever stands beside it? Requests are put together."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from modelport_runtime.core.backends.onnx.inputs import Feeds
from modelport_runtime.core.types import LoadError

Answer = Callable[[Feeds], Sequence[np.ndarray[Any, Any]] | None]
"""Gives the outputs that are arrays, rows first; None: the graph refuses these values."""
_TOLERANCE = 1e-2
"""Of the largest number: kernels for other sizes round otherwise, those of half floats most."""


def require(answer: Answer, drawn: Iterable[Feeds]) -> None:
    """Raises `LoadError` if the rows of what was drawn depend on each other, and more than once."""
    if sum(_depend(answer, feeds) for feeds in drawn) > 1:
        raise LoadError(
            "SampleFailed",
            "The graph gives a row another answer in a batch than alone. Rows are put into batches here: "
            "make each answer depend on its own row only.",
        )


def _depend(answer: Answer, feeds: Feeds) -> bool:
    together, again = answer(feeds), answer(feeds)
    # What is drawn by chance differs from itself, too.
    if together is None or again is None or not _alike(together, again):
        return False
    for row in range(len(next(iter(feeds.values())))):
        alone = answer({name: values[row : row + 1] for name, values in feeds.items()})
        if alone is not None and not _alike([each[row : row + 1] for each in together], alone):
            return True
    return False


def _alike(ones: Sequence[np.ndarray[Any, Any]], others: Sequence[np.ndarray[Any, Any]]) -> bool:
    return all(map(_close, ones, others))


def _close(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    # A label may be any of two that are equally likely, and a length any that fills the batch.
    if one.dtype.kind != "f" or one.shape != other.shape:
        return True
    largest = np.abs(one, where=np.isfinite(one), out=np.ones_like(one)).max(initial=1)
    return bool(np.allclose(one, other, rtol=0, atol=_TOLERANCE * float(largest), equal_nan=True))
