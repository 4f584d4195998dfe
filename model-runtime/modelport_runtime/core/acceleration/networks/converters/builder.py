"""Puts a network together node by node; what the shapes do not allow is not converted."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, cast

import numpy as np

from modelport_runtime.core.acceleration.arrays import Array, Dtype, PlanRefused, pack
from modelport_runtime.core.acceleration.converters.blocks import NotConverted
from modelport_runtime.core.acceleration.networks import nodes, shapes
from modelport_runtime.core.acceleration.networks.nodes import AnyNode
from modelport_runtime.core.acceleration.networks.shapes import Value

TYPES = ("float32", "float64", "int64", "int32")


def typed(dtype: str, what: str) -> nodes.Type:
    """Return a type that kernels know. Raises `NotConverted`."""
    if dtype not in TYPES:
        raise NotConverted(f"The {what} is of the type {dtype}, which has no kernels.")
    return cast("nodes.Type", dtype)


def packed(values: Any, dtype: str) -> Array:
    """Take an array into a network, as this type."""
    return pack(values, cast("Dtype", dtype))


class Builder:
    """Every method returns the place of its result. Raises `NotConverted`."""

    def __init__(self, inputs: Sequence[nodes.Tensor]) -> None:
        self.inputs = list(inputs)
        self.nodes: list[AnyNode] = []
        self.values: list[Value] = []
        for tensor in inputs:
            self._note(partial(shapes.of_tensor, tensor))

    def add(self, node: AnyNode) -> int:
        """Append a node."""
        place = self._note(partial(shapes.after, node, self.values))
        self.nodes.append(node)
        return place

    def shape(self, place: int) -> tuple[int, ...]:
        """Return a row's shape."""
        return self.values[place].shape

    def dtype(self, place: int) -> str:
        """Return the type's name."""
        return self.values[place].dtype

    def type(self, place: int) -> nodes.Type:
        """Return the type, of an output. Raises `NotConverted`."""
        return typed(self.dtype(place), "output")

    def is_float(self, place: int) -> bool:
        """Return whether it is no whole number."""
        return self.dtype(place).startswith("float")

    def constant(self, values: Any, dtype: str) -> int:
        """Append an operand that is the same for each row."""
        array = np.asarray(values, dtype)
        # Sizes of 1 in front count nothing: one of them may stand for the rows.
        while array.ndim and array.shape[0] == 1:
            array = array[0]
        return self.add(nodes.Constant(packed(array, dtype)))

    def linear(self, source: int, weight: Any, bias: Any | None) -> int:
        """Append source · weight (in × out) + bias."""
        dtype = self.dtype(source)
        held = None if bias is None else packed(bias, dtype)
        return self.add(nodes.Linear(source, packed(weight, dtype), held))

    def map(self, source: int, function: nodes.Function, first: float = 0.0, second: float = 0.0) -> int:
        """Append a function of each number."""
        return self.add(nodes.Map(source, function, float(first), float(second)))

    def pair(self, left: int, right: int, operation: nodes.Operation) -> int:
        """Append arithmetic of two arrays."""
        return self.add(nodes.Pair(left, right, operation))

    def scaled(self, source: int, factor: Any, offset: Any) -> int:
        """Append source · factor + offset, of constants; None: of none."""
        dtype = self.dtype(source)
        if factor is not None:
            source = self.pair(source, self.constant(factor, dtype), "multiply")
        return source if offset is None else self.pair(source, self.constant(offset, dtype), "add")

    def normalized(self, source: int, mean: Any, variance: Any, parts: "Affine") -> int:
        """Append what batch normalization is in use: one factor and one offset a channel, the last size."""
        dtype = np.dtype(self.dtype(source))
        factor = 1 / np.sqrt(np.asarray(variance, dtype) + dtype.type(parts.epsilon))
        if parts.factor is not None:
            factor = factor * np.asarray(parts.factor, dtype)
        offset = -np.asarray(mean, dtype) * factor
        if parts.offset is not None:
            offset = offset + np.asarray(parts.offset, dtype)
        return self.scaled(source, factor, offset)

    def standardized(self, source: int, axes: int, parts: "Affine") -> int:
        """Append layer normalization over the last sizes."""
        place = self.add(nodes.Standardize(source, axes, float(parts.epsilon)))
        return self.scaled(place, parts.factor, parts.offset)

    def reshape(self, source: int, shape: Sequence[int]) -> int:
        """Append the same numbers in another shape."""
        if tuple(shape) == self.shape(source):
            return source
        return self.add(nodes.Reshape(source, tuple(shape)))

    def cast(self, source: int, dtype: str) -> int:
        """Append a change of type, where it is one."""
        wanted = typed(dtype, "result of a cast")
        return source if self.dtype(source) == wanted else self.add(nodes.Cast(source, wanted))

    def slice(self, source: int, axis: int, start: int, stop: int, step: int = 1) -> int:
        """Append some places along an axis of a row."""
        if (start, stop, step) == (0, self.shape(source)[axis], 1):
            return source
        return self.add(nodes.Slice(source, axis, start, stop, step))

    def select(self, source: int, axis: int, place: int) -> int:
        """Append one place along an axis, which goes."""
        shape = self.shape(source)
        place += shape[axis] if place < 0 else 0
        taken = self.slice(source, axis, place, place + 1)
        return self.reshape(taken, (*shape[:axis], *shape[axis + 1 :]))

    def embedding(self, source: int, table: Any, *, wraps: bool) -> int:
        """Append rows of a table; wraps: numbers below 0 count from its end."""
        values = np.asarray(table)
        dtype = typed(str(values.dtype), "table of an embedding")
        return self.add(nodes.Embedding(source, packed(values, dtype), wraps))

    def joined(self, sources: Sequence[int], axis: int) -> int:
        """Append several side by side."""
        return self.add(nodes.Concatenate(list(sources), axis))

    def network(
        self,
        outputs: Sequence[nodes.Output],
        *,
        classes: int = 0,
        may_classify: bool,
        most_rows: int | None = None,
        kind: Literal["PyTorch", "Keras"],
    ) -> nodes.Network:
        """Return what was put together."""
        return nodes.Network(self.inputs, self.nodes, list(outputs), classes, may_classify, most_rows, kind)

    def _note(self, value_of: Any) -> int:
        try:
            self.values.append(value_of())
        except PlanRefused as why:
            raise NotConverted(f"The network has no kernels: {why}.") from None
        return len(self.values) - 1


class Affine:
    """What a normalization multiplies with and adds behind it, and its epsilon."""

    def __init__(self, factor: Any, offset: Any, epsilon: float) -> None:
        self.factor, self.offset, self.epsilon = factor, offset, epsilon
