"""How far the rounding of single precision moves each answer of a network: found by rounding at random.

Two libraries add the products of a row in different orders, so their answers differ by chance, more for sums
of large terms that cancel out and for deeper networks. No fixed bound is right for all rows. So a network is
run in double precision once as it is, and several times with noise after each node: as much as one unit in
the last place of the terms that were added (stochastic arithmetic, as CESTAC and CADNA have it). The spread
of its answers is the yardstick for a difference.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.functions import EXACT, OF_SIZE
from modelport_runtime.core.acceleration.networks.kernels import Array, Forward
from modelport_runtime.core.acceleration.networks.shapes import unpacked
from modelport_runtime.core.acceleration.networks.validation import values_of

_DRAWS = 12
_LARGEST = float(np.finfo(np.float32).max) / 4
_OF_CANCELING = 8.0
"""Of so large an argument a function that subtracts nearly equal numbers has come to its limit."""


@dataclass(frozen=True)
class Spread:
    """`deviations`: standard deviations of outputs, by name, as arrays of their shapes. `beyond`: for each
    row, whether something in it is too large for single precision. `closest`: of whole numbers that are
    places of the largest of some, how far ahead of the second it was, in standard deviations."""

    deviations: Mapping[str, Array]
    closest: Mapping[str, Array]
    beyond: Array

    def part(self, row: int) -> "Spread":
        """Return that of one row."""
        cut = slice(row, row + 1)
        return Spread(
            {name: values[cut] for name, values in self.deviations.items()},
            {name: values[cut] for name, values in self.closest.items()},
            self.beyond[cut],
        )


class Rounding:
    """Of one network."""

    def __init__(self, network: nodes.Network) -> None:
        self._network = network
        self._random = np.random.default_rng(20240229)
        self._forward = Forward(network, widen=True)
        self._dtypes = [value.dtype for value in values_of(network)[len(network.inputs) :]]
        self._sizes = [
            {name: np.abs(array.astype(np.float64)) for name, array in unpacked(node).items()}
            if isinstance(node, nodes.Linear)
            else {}
            for node in network.nodes
        ]
        self._watched = self._outputs() | set(self._choices().values())

    def of(self, feeds: Mapping[str, Array]) -> Spread:
        """Return what rounding does to the rows of `feeds`. Raises what the kernels raise."""
        inputs = self._inputs(feeds)
        exact, scales, beyond = self._exact(inputs)
        deviations = self._deviations(inputs, exact, scales)
        return Spread(
            {each.tensor.name: deviations[each.node] for each in self._network.outputs},
            {name: _lead(exact[node], deviations[node]) for name, node in self._choices().items()},
            beyond,
        )

    def draw(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name as they might have been rounded, each time others."""
        inputs = self._inputs(feeds)
        _, scales, _ = self._exact(inputs)
        values = self._drawn(inputs, scales)
        return {
            each.tensor.name: values[each.node].astype(each.tensor.dtype) for each in self._network.outputs
        }

    def _inputs(self, feeds: Mapping[str, Array]) -> list[Array]:
        return [_wide(np.asarray(feeds[each.name], dtype=each.dtype)) for each in self._network.inputs]

    def _exact(self, inputs: Sequence[Array]) -> tuple[list[Any], dict[int, Array], Array]:
        """Return the values, the noise of each node that rounds, and which rows are beyond."""
        scales, beyond = dict[int, Array](), np.zeros(len(inputs[0]), dtype=bool)

        def note(place: int, taken: Sequence[Array], result: Array) -> Array:
            magnitude = self._magnitude(place, taken, result)
            if magnitude is not None:
                scales[place] = magnitude * self._unit(place)
                if self._dtypes[place] == "float32":
                    np.logical_or(beyond, self._is_beyond(place, taken, magnitude), out=beyond)
            return result

        return self._forward(inputs, note), scales, beyond

    def _drawn(self, inputs: Sequence[Array], scales: Mapping[int, Array]) -> list[Any]:
        def rounded(place: int, taken: Sequence[Array], result: Array) -> Array:
            scale = scales.get(place)
            return result if scale is None else result + scale * self._random.standard_normal(result.shape)

        return self._forward(inputs, rounded)

    def _deviations(
        self, inputs: Sequence[Array], exact: Sequence[Any], scales: Mapping[int, Array]
    ) -> dict[int, Array]:
        sums = {place: np.zeros(np.shape(exact[place])) for place in self._watched}
        for _ in range(_DRAWS):
            drawn = self._drawn(inputs, scales)
            for place in sums:
                sums[place] += np.square(drawn[place].astype(np.float64) - exact[place])
        return {place: np.sqrt(total / _DRAWS) for place, total in sums.items()}

    def _outputs(self) -> set[int]:
        return {output.node for output in self._network.outputs}

    def _choices(self) -> dict[str, int]:
        """Return for outputs that are places of the largest of some where these are."""
        found = {}
        for output in self._network.outputs:
            place = output.node - len(self._network.inputs)
            node = self._network.nodes[place] if place >= 0 else None
            if isinstance(node, nodes.Reduce) and node.operation == "argmax":
                found[output.tensor.name] = node.source
        return found

    def _is_beyond(self, place: int, taken: Sequence[Array], magnitude: Array) -> Array:
        """Return for each row whether something in a node is too large for single precision."""
        if isinstance(self._network.nodes[place], nodes.Standardize):
            # Its squares are, long before what it takes or gives.
            return _rows_above(taken[0], math.sqrt(_LARGEST / taken[0][0].size))
        return _rows_above(magnitude, _LARGEST)

    def _unit(self, place: int) -> float:
        return float(np.finfo(self._dtypes[place]).eps)

    def _magnitude(self, place: int, taken: Sequence[Array], result: Array) -> Array | None:
        """Return what the rounding of each number goes by; None: nothing is rounded."""
        node = self._network.nodes[place]
        if isinstance(node, nodes.Linear):
            sizes = self._sizes[place]
            total: Array = np.abs(taken[0]) @ sizes["weight"] + sizes.get("bias", 0.0)
            return total
        rule = _MAGNITUDES.get(type(node))
        return None if rule is None or result.dtype.kind != "f" else rule(node, taken, result)


def _wide(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype == np.float32 else array


def _rows_above(values: Array, limit: float) -> Array:
    within = np.abs(values.reshape(len(values), -1)) <= limit
    return np.logical_not(within.all(axis=1))


def _lead(values: Array, deviations: Array) -> Array:
    """Return by how many deviations the largest number of each row is ahead of the second."""
    if values.shape[-1] < 2:
        return np.full(values.shape[:-1], np.inf)
    ordered = np.sort(values, axis=-1)
    lead: Array = (ordered[..., -1] - ordered[..., -2]) / np.maximum(deviations.max(axis=-1), 1e-300)
    return lead


def _of_map(node: nodes.Map, taken: Sequence[Array], result: Array) -> Array | None:
    if node.function in EXACT:
        return None
    size = np.abs(result) * 2
    return np.maximum(size, np.minimum(np.abs(taken[0]), _OF_CANCELING)) if node.function in OF_SIZE else size


def _of_pair(node: nodes.Pair, taken: Sequence[Array], result: Array) -> Array | None:
    return None if node.operation in ("maximum", "minimum") else np.abs(result)


def _of_softmax(node: nodes.Softmax, taken: Sequence[Array], result: Array) -> Any:
    below = taken[0].max(axis=-1, keepdims=True) - taken[0]
    if node.logarithm:
        return np.maximum(np.abs(result), below) + 1
    return np.where(result == 0, 0.0, result * (2 + below))


def _of_standardize(node: nodes.Standardize, taken: Sequence[Array], result: Array) -> Any:
    axes = tuple(range(-node.axes, 0))
    spread = np.sqrt(taken[0].var(axis=axes, keepdims=True) + node.epsilon)
    return np.abs(taken[0]).mean(axis=axes, keepdims=True) / spread + 2 * np.abs(result)


def _of_reduce(node: nodes.Reduce, taken: Sequence[Array], result: Array) -> Array | None:
    if node.operation not in ("mean", "sum"):
        return None
    total: Array = getattr(np, node.operation)(np.abs(taken[0]), axis=node.axis + 1)
    return total


def _of_cast(node: nodes.Cast, taken: Sequence[Array], result: Array) -> Array:
    return np.abs(result)


_MAGNITUDES: dict[type, Callable[[Any, Sequence[Array], Array], Array | None]] = {
    nodes.Map: _of_map,
    nodes.Pair: _of_pair,
    nodes.Softmax: _of_softmax,
    nodes.Standardize: _of_standardize,
    nodes.Reduce: _of_reduce,
    nodes.Cast: _of_cast,
}
