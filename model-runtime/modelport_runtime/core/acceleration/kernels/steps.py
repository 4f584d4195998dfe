"""Steps from one matrix (rows × width) to the next, and the values that scikit-learn refuses, refused
as cheaply.
"""

import math
from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan

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


Kernel = Callable[[Matrix], Matrix]


def chain(steps: list[plan.Step]) -> Kernel | None:
    """Return all steps as one function, or None if there are none."""
    kernels = [kernel_of(step) for step in steps]
    if not kernels:
        return None
    if len(kernels) == 1:
        return kernels[0]
    return lambda matrix: reduce(_apply, kernels, matrix)


def _apply(matrix: Matrix, kernel: Kernel) -> Matrix:
    return kernel(matrix)


def kernel_of(step: plan.Step) -> Kernel:
    """Prepare one step."""
    return _MAKERS[type(step)](step)


def _check(step: plan.Check) -> Kernel:
    allowed = step.nan_allowed

    def checked(matrix: Matrix) -> Matrix:
        check(matrix, nan_allowed=allowed)
        return matrix

    return checked


def _arithmetic(operation: Any, step: Any) -> Kernel:
    values = step.values.unpack()
    return lambda matrix: operation(matrix, values)


def _clip(step: plan.Clip) -> Kernel:
    return lambda matrix: np.clip(matrix, step.low, step.high)


_NORMS: dict[str, Kernel] = {
    "l1": lambda matrix: np.abs(matrix).sum(axis=1),
    "l2": lambda matrix: np.sqrt(np.einsum("ij,ij->i", matrix, matrix)),
    "max": lambda matrix: np.abs(matrix).max(axis=1),
}


def _normalize(step: plan.Normalize) -> Kernel:
    norm_of = _NORMS[step.norm]
    # As scikit-learn has it: what is as good as zero is not divided by.
    tiny = 10 * np.finfo(np.float64).eps

    def normalize(matrix: Matrix) -> Matrix:
        norms = norm_of(matrix)
        return matrix / np.where(norms < tiny, 1.0, norms)[:, None]

    return normalize


def _impute(step: plan.Impute) -> Kernel:
    fills, indicated = step.fills.unpack(), step.indicated.unpack()
    if not len(indicated):
        return lambda matrix: np.where(np.isnan(matrix), fills, matrix)

    def impute(matrix: Matrix) -> Matrix:
        missing = np.isnan(matrix)
        return np.concatenate((np.where(missing, fills, matrix), missing.take(indicated, 1)), axis=1)

    return impute


def _project(step: plan.Project) -> Kernel:
    projection = step.matrix.unpack()
    return lambda matrix: matrix @ projection


def _recode(step: plan.Recode) -> Kernel:
    columns = [_recoding(column) for column in step.columns]

    def recode(matrix: Matrix) -> Matrix:
        recoded = [column(values) for column, values in zip(columns, matrix.T, strict=True)]
        return np.stack(recoded, axis=1)

    return recode


def _recoding(column: plan.Recoding) -> Kernel:
    keys, codes = column.keys.unpack(), column.codes.unpack()

    def recode(values: Matrix) -> Matrix:
        places = np.minimum(keys.searchsorted(values), len(keys) - 1)
        is_missing, is_known = np.isnan(values), keys.take(places) == values
        for given, where in ((column.missing, is_missing), (column.unknown, ~is_known & ~is_missing)):
            if given is None and where.any():
                raise ValueError(f"Found unknown categories {values[where][:5]}")
        beyond = np.where(is_missing, column.missing or 0.0, column.unknown or 0.0)
        return np.where(is_known, codes.take(places), beyond)

    return recode


def _split(step: plan.Split) -> Kernel:
    kernels = [_selection(selection) for selection in step.selections]
    return lambda matrix: np.concatenate([kernel(matrix) for kernel in kernels], axis=1)


def _selection(selection: plan.Selection) -> Kernel:
    columns, kernel = selection.columns.unpack(), chain(selection.steps)
    if kernel is None:
        return lambda matrix: matrix.take(columns, 1)
    return lambda matrix: kernel(matrix.take(columns, 1))


_MAKERS: dict[type, Callable[[Any], Kernel]] = {
    plan.Check: _check,
    plan.Subtract: partial(_arithmetic, np.subtract),
    plan.Add: partial(_arithmetic, np.add),
    plan.Multiply: partial(_arithmetic, np.multiply),
    plan.Divide: partial(_arithmetic, np.divide),
    plan.Clip: _clip,
    plan.Normalize: _normalize,
    plan.Impute: _impute,
    plan.Project: _project,
    plan.Recode: _recode,
    plan.Split: _split,
}
