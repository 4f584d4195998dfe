"""Arrays and nodes of a plan, as they cross from one process to another."""

import math
from typing import Any, Literal

import msgspec
import numpy as np
from modelport_http.wording import counted

Scalar = bool | int | float | str
Dtype = Literal["float64", "float32", "int64", "int32", "uint8"]
_MOST_DIMENSIONS = 2


class PlanRefused(Exception):
    """The bytes are no plan, or one whose parts do not fit each other."""


class Array(msgspec.Struct, frozen=True):
    """A NumPy array in C order. `unpack` raises `PlanRefused` if the bytes are not as many as it says."""

    dtype: Dtype
    shape: tuple[int, ...]
    data: bytes

    def unpack(self, most_dimensions: int = _MOST_DIMENSIONS) -> np.ndarray[Any, Any]:
        """Return the array, of at most so many dimensions, as a copy. Raises `PlanRefused`."""
        size = math.prod(self.shape) * np.dtype(self.dtype).itemsize
        if len(self.shape) > most_dimensions or min(self.shape, default=0) < 0 or size != len(self.data):
            raise PlanRefused(
                f"{counted(len(self.data), 'byte')} for a {self.dtype} array of shape {self.shape}"
            )
        return np.frombuffer(self.data, self.dtype).reshape(self.shape).copy()


def pack(values: Any, dtype: Dtype = "float64") -> Array:
    """Take an array into a plan."""
    array = np.asarray(values, dtype=dtype)
    return Array(dtype, array.shape, np.ascontiguousarray(array).tobytes())


class Node(msgspec.Struct, frozen=True, tag=True):
    """One of several kinds, whose name goes along."""
