"""Each node as a function of the arrays that it takes."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.functions import FUNCTIONS
from modelport_runtime.core.acceleration.networks.nodes import AnyNode
from modelport_runtime.core.acceleration.networks.shapes import unpacked

Array = np.ndarray[Any, Any]
Kernel = Callable[..., Any]


class Step(NamedTuple):
    """`kernel` of the arrays at `sources`; None: the result is `constant`."""

    sources: tuple[int, ...]
    kernel: Kernel | None
    constant: Array | None = None


def step_of(node: AnyNode, *, widen: bool = False) -> Step:
    """Prepare one node. widen: single precision becomes double."""
    arrays = unpacked(node)
    if widen:
        arrays = {name: _widened(array) for name, array in arrays.items()}
    return _MAKERS[type(node)](node, arrays, widen)


def sources_of(node: AnyNode) -> tuple[int, ...]:
    """Return the places of what a node takes."""
    if isinstance(node, nodes.Constant):
        return ()
    if isinstance(node, nodes.Pair):
        return (node.left, node.right)
    return tuple(node.sources) if isinstance(node, nodes.Concatenate) else (node.source,)


def _widened(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype == np.float32 else array


Arrays = dict[str, Array]


def _constant(node: nodes.Constant, arrays: Arrays, _: bool) -> Step:
    return Step((), None, arrays["values"])


def _linear(node: nodes.Linear, arrays: Arrays, _: bool) -> Step:
    weight, bias = arrays["weight"], arrays.get("bias")
    if bias is None:
        return Step((node.source,), lambda x: x @ weight)

    def kernel(x: Array) -> Array:
        product: Array = x @ weight
        product += bias
        return product

    return Step((node.source,), kernel)


def _map(node: nodes.Map, arrays: Arrays, _: bool) -> Step:
    function, first, second = FUNCTIONS[node.function], node.first, node.second
    return Step((node.source,), lambda x: function(x, first, second))


def _pair(node: nodes.Pair, arrays: Arrays, _: bool) -> Step:
    operation: Kernel = getattr(np, node.operation)
    return Step((node.left, node.right), operation)


def _concatenate(node: nodes.Concatenate, arrays: Arrays, _: bool) -> Step:
    axis = node.axis + 1
    return Step(tuple(node.sources), lambda *each: np.concatenate(each, axis=axis))


def _reshape(node: nodes.Reshape, arrays: Arrays, _: bool) -> Step:
    shape = node.shape
    return Step((node.source,), lambda x: x.reshape(len(x), *shape))


def _permute(node: nodes.Permute, arrays: Arrays, _: bool) -> Step:
    axes = (0, *(axis + 1 for axis in node.axes))
    return Step((node.source,), lambda x: x.transpose(axes))


def _slice(node: nodes.Slice, arrays: Arrays, _: bool) -> Step:
    where = (*[slice(None)] * (node.axis + 1), slice(node.start, node.stop, node.step))
    return Step((node.source,), lambda x: x[where])


def _softmax(node: nodes.Softmax, arrays: Arrays, _: bool) -> Step:
    def kernel(x: Array) -> Any:
        shifted = x - x.max(axis=-1, keepdims=True)
        exponentials = np.exp(shifted)
        total = exponentials.sum(axis=-1, keepdims=True)
        return shifted - np.log(total) if node.logarithm else exponentials / total

    return Step((node.source,), kernel)


def _standardize(node: nodes.Standardize, arrays: Arrays, _: bool) -> Step:
    axes, epsilon = tuple(range(-node.axes, 0)), node.epsilon

    def kernel(x: Array) -> Any:
        centered = x - x.mean(axis=axes, keepdims=True)
        variance = (centered * centered).mean(axis=axes, keepdims=True)
        return centered / np.sqrt(variance + epsilon)

    return Step((node.source,), kernel)


def _reduce(node: nodes.Reduce, arrays: Arrays, _: bool) -> Step:
    axis, operation = node.axis + 1, getattr(np, node.operation)
    return Step((node.source,), lambda x: operation(x, axis=axis))


def _embedding(node: nodes.Embedding, arrays: Arrays, _: bool) -> Step:
    table = arrays["table"]
    size = len(table)
    least = -size if node.wraps else 0

    def kernel(x: Array) -> Array:
        if x.min() < least or x.max() >= size:
            raise IndexError(f"index out of range: an embedding takes whole numbers from 0 to {size - 1}")
        return table.take(x, 0)

    return Step((node.source,), kernel)


def _cast(node: nodes.Cast, arrays: Arrays, widen: bool) -> Step:
    dtype = np.dtype("float64" if widen and node.dtype == "float32" else node.dtype)
    return Step((node.source,), lambda x: x.astype(dtype))


_MAKERS: dict[type, Callable[[Any, Arrays, bool], Step]] = {
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


class Forward:
    """A whole network, run in the order of its nodes; what no node needs any more is dropped."""

    def __init__(self, network: nodes.Network, *, widen: bool = False) -> None:
        self.first = len(network.inputs)
        self._steps = [step_of(node, widen=widen) for node in network.nodes]
        self._dropped = _dropped(network)

    def __call__(
        self, inputs: Sequence[Array], changed: Callable[[int, Sequence[Array], Array], Array] | None = None
    ) -> list[Any]:
        """Return the values, None where dropped. changed: gives another result for a node's place."""
        values: list[Any] = list(inputs)
        for place, (step, dropped) in enumerate(zip(self._steps, self._dropped, strict=True)):
            if step.kernel is None:
                values.append(step.constant)
                continue
            taken = [values[source] for source in step.sources]
            result = step.kernel(*taken)
            values.append(result if changed is None else changed(place, taken, result))
            for source in dropped:
                values[source] = None
        return values


def _dropped(network: nodes.Network) -> list[list[int]]:
    """Return for each node what it is the last to take; what an output is made of is never dropped."""
    last: dict[int, int] = {}
    for place, node in enumerate(network.nodes):
        last |= dict.fromkeys(sources_of(node), place)
    kept = {output.node for output in network.outputs} | {
        sources_of(network.nodes[output.node - len(network.inputs)])[0]
        for output in network.outputs
        if output.node >= len(network.inputs) and output.tensor.dtype == "int64"
        if sources_of(network.nodes[output.node - len(network.inputs)])
    }
    dropped: list[list[int]] = [[] for _ in network.nodes]
    for source, place in last.items():
        if source not in kept:
            dropped[place].append(source)
    return dropped


def rows_at_once(sizes: int) -> int:
    """Return how many rows of so many numbers, all arrays together, are computed together."""
    return max(1, math.floor(_MOST_NUMBERS / max(1, sizes)))


_MOST_NUMBERS = 4_000_000
"""Of all arrays of a run together: 16 to 32 MB, however many rows a request has."""
