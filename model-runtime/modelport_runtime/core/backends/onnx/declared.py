"""What a session says of a tensor, in ONNX Runtime's words."""

from collections.abc import Sequence
from dataclasses import dataclass

# As ONNX Runtime has them, where NumPy's names are others.
_TYPES = {"float32": "float", "float64": "double"}


@dataclass(frozen=True)
class Declared:
    """`type`: such as `tensor(float)`. `shape`: a size that is free is its name, or None."""

    name: str
    type: str
    shape: Sequence[int | str | None]


def declared(name: str, dtype: str, shape: Sequence[int | str | None]) -> Declared:
    """Return what a session takes or gives. dtype: NumPy's name of its type."""
    return Declared(name, f"tensor({_TYPES.get(dtype, dtype)})", shape)
