"""The values that scikit-learn refuses, refused as cheaply as can be."""

import math
from typing import Any

import numpy as np

Matrix = np.ndarray[Any, Any]


def check(matrix: Matrix, *, nan_allowed: bool) -> None:
    """Raise ValueError on infinity, and on NaN unless that is allowed."""
    # A sum is finite only if all values are; that of large ones may be infinite all the same.
    if math.isfinite(np.add.reduce(matrix, axis=None)):
        return
    if nan_allowed:
        if np.isinf(matrix).any():
            raise ValueError(f"Input X contains infinity or a value too large for {matrix.dtype!r}.")
    elif not np.isfinite(matrix).all():
        raise ValueError(f"Input X contains NaN, infinity or a value too large for {matrix.dtype!r}.")
