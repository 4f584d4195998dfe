"""What each node makes of what it takes: type, shape of a row, and how much work that is.

The same rules let a converter build a network and refuse one that a hostile model has written.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.acceleration.arrays import Array, PlanRefused
from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.nodes import AnyNode

MOST_NODES = 5_000
MOST_TENSORS = 64
MOST_ELEMENTS = 1_000_000
"""Of one row in one array."""
MOST_WORK = 10_000_000
"""Multiplications for one row, and numbers of all arrays of a row together: a few milliseconds, and 80 MB."""
MOST_DIMENSIONS = 4
_FLOATS = ("float32", "float64")
_INTEGERS = ("int64", "int32")


@dataclass(frozen=True)
class Value:
    """`shape`: of one row. A constant has no rows."""

    shape: tuple[int, ...]
    dtype: str
    has_rows: bool = True
    work: int = 0

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def of_tensor(tensor: nodes.Tensor) -> Value:
    """Return the value of an input. Raises `PlanRefused` unless its rows are of one shape."""
    first, *sizes = tensor.shape or (0,)
    fixed = [size for size in sizes if size is not None and size > 0]
    if len(fixed) != len(sizes) or not (first is None or first > 0):
        raise PlanRefused(f"the rows of the tensor {tensor.name!r} have no fixed shape")
    return _bounded(Value(tuple(fixed), tensor.dtype))


def after(node: AnyNode, values: Sequence[Value]) -> Value:
    """Return what `node` makes of the values before it. Raises `PlanRefused`."""
    return _bounded(_RULES[type(node)](node, values))


def unpacked(node: AnyNode) -> dict[str, np.ndarray[Any, Any]]:
    """Return the node's arrays by name. Raises `PlanRefused`."""
    fields = {name: getattr(node, name) for name in node.__struct_fields__}
    return {name: array.unpack(MOST_DIMENSIONS) for name, array in fields.items() if isinstance(array, Array)}


def _bounded(value: Value) -> Value:
    if len(value.shape) > MOST_DIMENSIONS or not all(1 <= size <= MOST_ELEMENTS for size in value.shape):
        raise PlanRefused(f"an array with rows of shape {value.shape}")
    if value.size > MOST_ELEMENTS:
        raise PlanRefused(f"an array of {counted(value.size, 'number')} a row")
    return value


def _source(place: int, values: Sequence[Value], among: Sequence[str] = (*_FLOATS, *_INTEGERS)) -> Value:
    value = _any_source(place, values)
    if not value.has_rows or value.dtype not in among:
        raise PlanRefused(f"a {value.dtype} array where one of rows of {', '.join(among)} is due")
    return value


def _any_source(place: int, values: Sequence[Value]) -> Value:
    if not 0 <= place < len(values):
        raise PlanRefused(f"a source that is not from 0 to {len(values) - 1}")
    return values[place]


def _axis(axis: int, value: Value) -> int:
    if not 0 <= axis < len(value.shape):
        raise PlanRefused(f"rows of shape {value.shape} have no axis {axis}")
    return axis


def _constant(node: nodes.Constant, values: Sequence[Value]) -> Value:
    array = node.values
    unpacked(node)
    return Value(array.shape, array.dtype, has_rows=False)


def _linear(node: nodes.Linear, values: Sequence[Value]) -> Value:
    source = _source(node.source, values, _FLOATS)
    arrays = unpacked(node)
    weight = arrays["weight"]
    if weight.ndim != 2 or source.shape[-1:] != weight.shape[:1]:
        raise PlanRefused(f"weights of shape {weight.shape}, but rows of shape {source.shape}")
    if "bias" in arrays and arrays["bias"].shape != weight.shape[1:]:
        raise PlanRefused(f"a bias of shape {arrays['bias'].shape} for weights of shape {weight.shape}")
    if {str(array.dtype) for array in arrays.values()} != {source.dtype}:
        raise PlanRefused(f"weights of another type than {source.dtype}")
    outer = source.shape[:-1]
    return Value((*outer, weight.shape[1]), source.dtype, work=math.prod(outer) * weight.size)


def _map(node: nodes.Map, values: Sequence[Value]) -> Value:
    if math.isnan(node.first) or math.isnan(node.second):
        raise PlanRefused("a parameter is NaN")
    return _source(node.source, values, _FLOATS)


def _pair(node: nodes.Pair, values: Sequence[Value]) -> Value:
    left, right = (_any_source(place, values) for place in (node.left, node.right))
    if not (left.has_rows or right.has_rows) or left.dtype != right.dtype or left.dtype == "uint8":
        raise PlanRefused(f"a pair of {left.dtype} and {right.dtype}")
    if left.dtype in _INTEGERS and node.operation == "divide":
        raise PlanRefused("whole numbers are divided")
    ranks = len(left.shape), len(right.shape)
    if (left.has_rows and right.has_rows and ranks[0] != ranks[1]) or (
        # A constant of more sizes than a row would take the rows for one of them.
        (not left.has_rows and ranks[0] > ranks[1]) or (not right.has_rows and ranks[1] > ranks[0])
    ):
        raise PlanRefused(f"a pair of shapes {left.shape} and {right.shape}")
    try:
        shape = np.broadcast_shapes(left.shape, right.shape)
    except ValueError:
        raise PlanRefused(f"a pair of shapes {left.shape} and {right.shape}") from None
    return Value(shape, left.dtype)


def _concatenate(node: nodes.Concatenate, values: Sequence[Value]) -> Value:
    if not 0 < len(node.sources) <= MOST_NODES:
        raise PlanRefused("nothing is put together")
    sources = [_source(place, values) for place in node.sources]
    axis = _axis(node.axis, sources[0])
    others = {(*each.shape[:axis], *each.shape[axis + 1 :], each.dtype) for each in sources}
    if len(others) != 1 or len({len(each.shape) for each in sources}) != 1:
        raise PlanRefused("what is put side by side differs in another size or in type")
    width = sum(each.shape[axis] for each in sources)
    first = sources[0]
    return Value((*first.shape[:axis], width, *first.shape[axis + 1 :]), first.dtype)


def _reshape(node: nodes.Reshape, values: Sequence[Value]) -> Value:
    source = _source(node.source, values)
    shaped = Value(node.shape, source.dtype)
    if min(node.shape, default=1) < 1 or shaped.size != source.size:
        raise PlanRefused(f"rows of shape {source.shape} as {node.shape}")
    return shaped


def _permute(node: nodes.Permute, values: Sequence[Value]) -> Value:
    source = _source(node.source, values)
    if sorted(node.axes) != list(range(len(source.shape))):
        raise PlanRefused(f"rows of shape {source.shape} by the axes {node.axes}")
    return Value(tuple(source.shape[axis] for axis in node.axes), source.dtype)


def _slice(node: nodes.Slice, values: Sequence[Value]) -> Value:
    source = _source(node.source, values)
    axis = _axis(node.axis, source)
    if not 0 <= node.start < node.stop <= source.shape[axis] or node.step < 1:
        raise PlanRefused(f"places {node.start} to {node.stop} of {source.shape[axis]}")
    size = len(range(node.start, node.stop, node.step))
    return Value((*source.shape[:axis], size, *source.shape[axis + 1 :]), source.dtype)


def _softmax(node: nodes.Softmax, values: Sequence[Value]) -> Value:
    source = _source(node.source, values, _FLOATS)
    _axis(len(source.shape) - 1, source)
    return source


def _standardize(node: nodes.Standardize, values: Sequence[Value]) -> Value:
    source = _source(node.source, values, _FLOATS)
    if not 1 <= node.axes <= len(source.shape) or not node.epsilon >= 0:
        raise PlanRefused(
            f"rows of shape {source.shape}, {node.axes} axes together and an epsilon of {node.epsilon}"
        )
    return source


def _reduce(node: nodes.Reduce, values: Sequence[Value]) -> Value:
    source = _source(node.source, values, _FLOATS)
    axis = _axis(node.axis, source)
    dtype = "int64" if node.operation == "argmax" else source.dtype
    return Value((*source.shape[:axis], *source.shape[axis + 1 :]), dtype)


def _embedding(node: nodes.Embedding, values: Sequence[Value]) -> Value:
    source = _source(node.source, values, _INTEGERS)
    table = unpacked(node)["table"]
    if table.ndim != 2 or not len(table) or str(table.dtype) not in _FLOATS:
        raise PlanRefused(f"a {table.dtype} table of shape {table.shape}")
    return Value((*source.shape, table.shape[1]), str(table.dtype))


def _cast(node: nodes.Cast, values: Sequence[Value]) -> Value:
    return Value(_source(node.source, values).shape, node.dtype)


_RULES: dict[type, Callable[[Any, Sequence[Value]], Value]] = {
    nodes.Constant: _constant,
    nodes.Linear: _linear,
    nodes.Map: _map,
    nodes.Pair: _pair,
    nodes.Concatenate: _concatenate,
    nodes.Reshape: _reshape,
    nodes.Permute: _permute,
    nodes.Slice: _slice,
    nodes.Softmax: _softmax,
    nodes.Standardize: _standardize,
    nodes.Reduce: _reduce,
    nodes.Embedding: _embedding,
    nodes.Cast: _cast,
}
