"""What a model takes and gives. Its JSON form is in docs/contracts.md."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["number", "integer", "boolean", "string", "any", "tensor"]
Task = Literal["classifier", "regressor", "clusterer", "transformer", "outlier", "generic"]

DTYPES = {
    **{f"FP{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"{sign}INT{bits}": f"{sign}INT{bits}".lower() for sign in ("", "U") for bits in (8, 16, 32, 64)},
    "BOOL": "bool",
    "BYTES": "object",
}
"""Datatypes of the Open Inference Protocol → NumPy's."""
METHOD_OUTPUTS = ("decision_function", "score_samples")
"""Methods of estimators beside `predict` and `predict_proba`, which give the other two outputs of theirs."""
CONTRIBUTIONS = "contributions"
"""How much each column added to what the model computed: no output of its own, but an explanation of it."""
EXTRA_OUTPUTS = (*METHOD_OUTPUTS, CONTRIBUTIONS)
"""Returned only where they are named."""


@dataclass(frozen=True)
class Column:
    """One feature. Beyond `values` the model raises; `shape` is a tensor's, None = free.

    `dtype` is what the column becomes before the model sees it: a NumPy dtype name, "datetime64[us, UTC]", or
    "category". What becomes "str" may be a whole number or a boolean, too: of a category the text counts.
    Of kind "any", with another dtype than "object", it takes numbers and booleans.
    """

    name: str
    kind: Kind = "number"
    dtype: str = "float64"
    optional: bool = False
    values: tuple[Any, ...] | None = None
    shape: tuple[int | None, ...] | None = None


@dataclass(frozen=True)
class TensorSpec:
    """A tensor in the words of the Open Inference Protocol; in `shape` rows come first, None is a free size.

    `output`: which of the signature's outputs this is, None for an input.
    """

    name: str
    datatype: str
    shape: tuple[int | None, ...]
    output: str | None = None

    @property
    def dtype(self) -> str:
        """Return the name of the NumPy dtype; strings are objects."""
        return DTYPES[self.datatype]


@dataclass(frozen=True)
class Signature:
    """`columns` is None where even the width is unknown: rows then pass as they are.

    `tensors_in` and `tensors_out` are None where the model itself knows of no tensors (its file is no ONNX).
    """

    task: Task
    columns: tuple[Column, ...] | None
    positional: bool = False
    input: Literal["rows", "text"] = "rows"
    outputs: tuple[str, ...] = ("prediction",)
    classes: tuple[Any, ...] | None = None
    tensors_in: tuple[TensorSpec, ...] | None = None
    tensors_out: tuple[TensorSpec, ...] | None = None

    @property
    def usual_outputs(self) -> tuple[str, ...]:
        """What is returned when a protocol asks for everything: the rest is returned where it is named."""
        return tuple(name for name in self.outputs if name not in EXTRA_OUTPUTS)

    def to_json(self) -> dict[str, Any]:
        """Return lists for tuples, so that it equals what a client parses; tensors only where there are
        any.
        """
        return {
            key: _listed(value)
            for key, value in asdict(self).items()
            if value is not None or key not in ("tensors_in", "tensors_out")
        }


def is_date(dtype: str) -> bool:
    """True for columns of dates and times: strings in JSON."""
    return dtype.startswith("datetime64")


def positional_columns(width: int, **common: Any) -> tuple[Column, ...]:
    """Name the features of a model that knows none: x0, x1, …"""
    return tuple(Column(f"x{index}", **common) for index in range(width))


def _listed(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_listed(item) for item in value]
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return value
