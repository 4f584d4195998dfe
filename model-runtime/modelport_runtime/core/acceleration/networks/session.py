"""A network as a session of tensors: see `backends.onnx.session_backend`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration.arrays import PlanRefused
from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.kernels import Array, Forward, rows_at_once
from modelport_runtime.core.acceleration.networks.validation import validate
from modelport_runtime.core.backends.onnx.declared import Declared, declared
from modelport_runtime.core.backends.onnx.session_backend import SessionBackend, SessionParts
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import LoadError

_ROUNDING = 1e-4
_INLINE_WORK = 4_000_000
"""Multiplications that the event loop is held up for: a millisecond."""


class NetworkSession:
    """Raises `PlanRefused` for a network whose parts do not fit. Any number of threads may run it."""

    def __init__(self, network: nodes.Network) -> None:
        values = validate(network)
        self._forward = Forward(network)
        self._at_once = rows_at_once(sum(value.size for value in values))
        self._inputs = [(tensor.name, np.dtype(tensor.dtype)) for tensor in network.inputs]
        self._outputs = {output.tensor.name: output.node for output in network.outputs}
        self._declared = (
            [declared(each.name, each.dtype, each.shape) for each in network.inputs],
            [declared(each.name, each.dtype, each.shape) for each in (out.tensor for out in network.outputs)],
        )
        self.work = sum(max(value.work, value.size) for value in values)
        self._row_numbers = sum(value.size for value in values[: len(network.inputs)])

    @property
    def inline_bytes(self) -> int:
        """How large a body may be whose rows the event loop may compute: two bytes a number at least."""
        return 2 * self._row_numbers * max(1, _INLINE_WORK // max(1, self.work))

    def get_inputs(self) -> Sequence[Declared]:
        """Return what it takes."""
        return self._declared[0]

    def get_outputs(self) -> Sequence[Declared]:
        """Return what it gives."""
        return self._declared[1]

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Array]) -> list[Any]:
        """Return the outputs of these names, all for None. Raises IndexError beyond an embedding."""
        inputs = [np.asarray(feeds[name], dtype) for name, dtype in self._inputs]
        places = [self._outputs[name] for name in names or self._outputs]
        rows = len(inputs[0])
        if rows <= self._at_once:
            return self._part(inputs, places)
        parts = [
            self._part([each[start : start + self._at_once] for each in inputs], places)
            for start in range(0, rows, self._at_once)
        ]
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    def _part(self, inputs: list[Array], places: list[int]) -> list[Any]:
        values = self._forward(inputs)
        return [values[place] for place in places]


class NetworkBackend(SessionBackend):
    """The backend of a network that was read from a plan; its signature has the sample's names."""

    def __init__(self, made: nodes.NetworkPlan) -> None:
        session = NetworkSession(made.network)
        super().__init__(parts_of(made.network, session), made.libraries)
        self.inline_bytes = session.inline_bytes
        if not _may_be_named(self.signature, made.signature):
            raise PlanRefused("the signature is not the network's")
        self.signature = made.signature


def backend_of(made: nodes.NetworkPlan) -> NetworkBackend:
    """Read a network. Raises `PlanRefused`."""
    try:
        return NetworkBackend(made)
    except LoadError as error:
        raise PlanRefused(error.message) from error


def _may_be_named(own: Signature, named: Signature) -> bool:
    """Return whether one signature is the other, but for the names that a sample gave to nameless columns."""
    if not own.positional or named.positional:
        return own == named
    names = {column.name for column in named.columns or ()}
    return len(names) == len(named.columns or ()) and _nameless(own) == _nameless(named)


def _nameless(signature: Signature) -> Signature:
    columns = tuple(replace(column, name="") for column in signature.columns or ())
    return replace(signature, columns=columns, positional=False)


def parts_of(network: nodes.Network, session: NetworkSession) -> SessionParts:
    """Return what a backend of the network is made of."""
    labels = [list(range(network.classes))] if network.classes else []
    return SessionParts(
        session,
        labels,
        kind=network.kind,
        rounding=_ROUNDING,
        may_classify=network.may_classify,
        most_rows=network.most_rows,
        network=lambda: network,
    )
