"""Networks without their framework: the kernels stand in for it, computing in double precision."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from modelport_formats.frameworks import torch_files
from modelport_runtime.core.acceleration import plan, read_plan
from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.converters import torch_programs
from modelport_runtime.core.acceleration.networks.converters.builder import packed
from modelport_runtime.core.acceleration.networks.kernels import Forward
from modelport_runtime.core.acceleration.networks.session import NetworkSession, parts_of
from modelport_runtime.core.backends import self_check
from modelport_runtime.core.backends.onnx.session_backend import SessionBackend, SessionParts
from modelport_runtime.core.backends.torch import archive, program
from modelport_runtime.core.engine import Engine

FIXTURES = Path(__file__).parents[4] / "fixtures"
TORCH = FIXTURES / "torch"


def of_torch(name: str) -> nodes.Network:
    """Return the network of a fixture."""
    path = TORCH / name
    return torch_programs.convert(program.read(torch_files.program(path)), archive.arrays(path))


def made(network: nodes.Network) -> nodes.NetworkPlan:
    """Return the plan of a network with the signature that it has by itself."""
    backend = SessionBackend(parts_of(network, NetworkSession(network)), {})
    return nodes.NetworkPlan(backend.signature, {}, network)


def served(network: nodes.Network) -> Engine:
    """Return what the server process would make of it."""
    backend = read_plan(plan.encode(made(network)))
    return Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=64)


class Doubles:
    """A session that computes in double precision and rounds at the end: as another library might."""

    def __init__(self, network: nodes.Network) -> None:
        self._network, self._forward = network, Forward(network, widen=True)
        self._own = NetworkSession(network)
        self.get_inputs, self.get_outputs = self._own.get_inputs, self._own.get_outputs

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        inputs = [np.asarray(feeds[each.name], each.dtype) for each in self._network.inputs]
        wide = [each.astype("float64") if each.dtype == "float32" else each for each in inputs]
        with np.errstate(all="ignore"):
            values = self._forward(wide)
            given = {
                each.tensor.name: values[each.node].astype(each.tensor.dtype)
                for each in self._network.outputs
            }
        return [given[name] for name in names or given]


def original(network: nodes.Network, converted: nodes.Network | None = None) -> Engine:
    """Return an engine of `network`, which says of itself that it is `converted`."""
    parts = parts_of(network, NetworkSession(network))
    parts = SessionParts(
        Doubles(network),
        parts.labels,
        kind=parts.kind,
        rounding=parts.rounding,
        may_classify=parts.may_classify,
        most_rows=parts.most_rows,
        network=lambda: converted or network,
    )
    backend = SessionBackend(parts, {})
    engine = Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=64)
    self_check(engine)
    return engine


def small(*layers: nodes.AnyNode, width: int = 4, outputs: Sequence[Any] = ()) -> nodes.Network:
    """Return a network of one input x, whose last node is the output."""
    tensor = nodes.Tensor("x", "float32", (None, width))
    given = nodes.Output(nodes.Tensor("output", "float32", (None, 3)), len(layers))
    return nodes.Network([tensor], list(layers), list(outputs) or [given], 0, True, None, "PyTorch")


def linear(source: int, inner: int, outer: int, scale: float = 1.0) -> nodes.Linear:
    random = np.random.default_rng(inner * 100 + outer)
    weight, bias = random.normal(size=(inner, outer)) * scale, random.normal(size=outer)
    return nodes.Linear(source, packed(weight, "float32"), packed(bias, "float32"))
