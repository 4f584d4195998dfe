"""What has become of the input on its way through the stages, and the error for a stage that is not
converted.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.signature import Column


class NotConverted(Exception):
    """The message says why, as a sentence for users."""


def require(holds: bool, what: str) -> None:
    """Raise `NotConverted` unless it holds."""
    if not holds:
        raise NotConverted(what)


def known_name(estimator: Any) -> str:
    """Return the class name of a scikit-learn object that is no more than its class. Raises
    `NotConverted`.
    """
    kind = type(estimator)
    if not kind.__module__.startswith("sklearn."):
        raise NotConverted(f"{kind.__module__}.{kind.__qualname__} has no kernels.")
    for name in vars(estimator):
        if callable(getattr(kind, name, None)):
            raise NotConverted(f"A {kind.__name__} has a {name} of its own.")
    return kind.__name__


def floats(values: Any) -> np.ndarray[Any, Any]:
    """Take what was fitted, if it is of doubles: kernels do not compute in single precision."""
    array = np.asarray(values)
    require(
        array.dtype == np.float64 or array.dtype.kind in "iu", "The model was fitted on single precision."
    )
    return array.astype(np.float64)


NOTHING = object()


@dataclass(frozen=True)
class Raw:
    """Columns of the row as they came, `fills` (or `NOTHING`) put for what is missing."""

    places: tuple[int, ...]
    columns: tuple[Column, ...]
    fills: tuple[Any, ...]

    def take(self, chosen: list[int]) -> "Raw":
        """Return the columns at `chosen`, in that order: places in this block, not in the row."""
        return Raw(
            tuple(self.places[one] for one in chosen),
            tuple(self.columns[one] for one in chosen),
            tuple(self.fills[one] for one in chosen),
        )

    @property
    def width(self) -> int:
        return len(self.places)


@dataclass(frozen=True)
class Matrix:
    """`nan`, `infinite`: whether such values may stand in it."""

    part: plan.Part
    width: int
    nan: bool
    infinite: bool

    def then(self, *steps: plan.Step, **changes: Any) -> "Matrix":
        """Return the block after further steps."""
        part = plan.Part(self.part.source, [*self.part.steps, *steps])
        return replace(self, part=part, **changes)

    def checked(self, *, nan_allowed: bool) -> "Matrix":
        """Raise where scikit-learn does, if there may be anything to raise on."""
        if self.infinite or (self.nan and not nan_allowed):
            return self.then(plan.Check(nan_allowed), nan=self.nan and nan_allowed, infinite=False)
        return self


Block = Raw | Matrix


def as_matrix(block: Block) -> Matrix:
    """Read raw columns as numbers. Raises `NotConverted` if they are none."""
    if isinstance(block, Matrix):
        return block
    for column in block.columns:
        # A column that no transformer reads may hold anything: what is no number makes both raise.
        if column.kind not in ("number", "integer", "boolean", "any") or column.dtype == "float32":
            raise NotConverted(_not_a_number(column))
    matrix = Matrix(
        plan.Part(plan.Numbers(list(block.places)), []),
        block.width,
        nan=any(column.optional for column in block.columns),
        infinite=False,
    )
    return _filled(matrix, block.fills)


def _not_a_number(column: Column) -> str:
    if column.dtype == "float32":
        return f"Column {column.name} is of single precision."
    return f"Column {column.name} holds a {column.kind} where kernels read numbers."


def _filled(matrix: Matrix, fills: tuple[Any, ...]) -> Matrix:
    given = [fill for fill in fills if fill is not NOTHING]
    if not given:
        return matrix
    require(len(given) == len(fills), "An imputer knows only some of its columns.")
    require(all(type(fill) is not str for fill in given), "An imputer fills numbers with strings.")
    return matrix.then(plan.Impute(plan.pack(given), plan.pack([], "int64")), nan=False)
