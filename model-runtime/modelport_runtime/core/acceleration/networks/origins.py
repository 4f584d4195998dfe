"""Which numbers of the input matter to a network: scales of its first layers, sizes of its tables."""

from dataclasses import dataclass, replace

import numpy as np

from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.kernels import Array, sources_of, step_of
from modelport_runtime.core.acceleration.networks.shapes import unpacked
from modelport_runtime.core.acceleration.networks.validation import values_of

_STRUCTURE = (nodes.Reshape, nodes.Permute, nodes.Slice, nodes.Concatenate, nodes.Cast)


@dataclass
class Hints:
    """For each number of all inputs, one after the other: what becomes 0 and what becomes 1 in the first
    layer, and the least and the first too large number that a table has a row for (NaN: of no table)."""

    zeros: Array
    ones: Array
    least: Array
    above: Array


@dataclass(frozen=True)
class _Origin:
    """Numbers that are those of the input at `places` (-1: of none) · factor + offset; with one row."""

    places: Array
    factor: Array
    offset: Array


def hints_of(network: nodes.Network) -> Hints:
    """Follow the inputs to the first nodes that are no arithmetic with constants."""
    values = values_of(network)
    inputs = values[: len(network.inputs)]
    count = sum(value.size for value in inputs)
    hints = Hints(np.zeros(count), np.ones(count), np.full(count, np.nan), np.full(count, np.nan))
    origins: list[_Origin | None] = []
    start = 0
    for value in inputs:
        places = np.arange(start, start + value.size).reshape(1, *value.shape)
        origins.append(_Origin(places, np.ones(places.shape), np.zeros(places.shape)))
        start += value.size
    for node in network.nodes:
        with np.errstate(all="ignore"):
            origins.append(_after(node, origins, hints, network))
    return hints


def _after(
    node: nodes.AnyNode, origins: list[_Origin | None], hints: Hints, network: nodes.Network
) -> _Origin | None:
    taken = [origins[source] for source in sources_of(node)]
    known = [origin for origin in taken if origin is not None]
    if isinstance(node, _STRUCTURE) and len(known) == len(taken):
        kernel = step_of(node).kernel if not isinstance(node, nodes.Cast) else None
        if kernel is None:
            return known[0]
        return _Origin(
            kernel(*[each.places for each in known]),
            kernel(*[each.factor for each in known]),
            kernel(*[each.offset for each in known]),
        )
    if isinstance(node, nodes.Pair) and len(known) == 1:
        return _arithmetic(node, known[0], network, is_left=taken[0] is not None)
    for origin in known:
        _note(node, origin, hints)
    return None


def _arithmetic(
    node: nodes.Pair, origin: _Origin, network: nodes.Network, *, is_left: bool
) -> _Origin | None:
    place = (node.right if is_left else node.left) - len(network.inputs)
    constant = network.nodes[place] if place >= 0 else None
    if not isinstance(constant, nodes.Constant):
        return None
    value = unpacked(constant)["values"].astype(np.float64)
    if node.operation == "add":
        changed = replace(origin, offset=origin.offset + value)
    elif node.operation == "subtract":
        sign = 1.0 if is_left else -1.0
        changed = _Origin(origin.places, origin.factor * sign, sign * (origin.offset - value))
    elif node.operation == "multiply" or (node.operation == "divide" and is_left):
        by = value if node.operation == "multiply" else 1 / value
        changed = _Origin(origin.places, origin.factor * by, origin.offset * by)
    else:
        return None
    # Spread over further places by a constant it is not followed.
    return changed if changed.offset.shape == changed.factor.shape == origin.places.shape else None


def _note(node: nodes.AnyNode, origin: _Origin, hints: Hints) -> None:
    places = origin.places.ravel()
    factor, offset = origin.factor.ravel(), origin.offset.ravel()
    if isinstance(node, nodes.Embedding):
        least = -node.table.shape[0] if node.wraps else 0
        hints.least[places] = np.fmax(hints.least[places], (least - offset) / factor)
        hints.above[places] = np.fmin(hints.above[places], (node.table.shape[0] - offset) / factor)
        return
    scaled = (factor != 1) | (offset != 0)
    zeros, ones = -offset / factor, (1 - offset) / factor
    finite = scaled & np.isfinite(zeros) & np.isfinite(ones)
    hints.zeros[places[finite]], hints.ones[places[finite]] = zeros[finite], ones[finite]
