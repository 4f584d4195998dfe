"""What the first layers of a TorchScript network show of its arguments: widths, ranks and types."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np
import torch

from modelport_runtime.core.backends.torch.tensors import name_of
from modelport_runtime.core.types import LoadError

_CONVOLUTIONS = {"aten::conv1d", "aten::conv2d", "aten::conv3d", "aten::_convolution"}
_UNCHANGED = {"aten::relu", "aten::sigmoid", "aten::tanh", "aten::dropout", "aten::to", "aten::contiguous"}
_MAX_DEPTH = 8


@dataclass(frozen=True)
class Taken:
    """An argument. `shape` is one row's, None where a size is free; None as a whole: nothing shows it."""

    name: str
    shape: tuple[int | None, ...] | None = None
    dtype: str = "float32"

    def shown(self, value: Any) -> "Taken":
        """Return it as a sample's value shows it, unless the network's own layers show every size."""
        if (self.shape is not None and None not in self.shape) or value is None or isinstance(value, str):
            return self
        try:
            return replace(self, shape=np.shape(value))
        except ValueError:
            return self


def inputs_of(module: Any) -> list[Taken]:
    """Return the arguments of `forward` in order. Raises `LoadError` for what is no tensor."""
    needed = [each for each in module.forward.schema.arguments[1:] if not each.has_default_value()]
    others = [each.name for each in needed if str(each.type) != "Tensor"]
    if others or not needed:
        raise LoadError(
            "UnsupportedFormat",
            f"The network's arguments {others} are no tensors: let forward take tensors alone.",
        )
    graph = _graph(module)
    found = [] if graph is None else [_shown_by(value) for value in list(graph.inputs())[1:]]
    return [
        replace(seen or Taken(""), name=each.name) for each, seen in zip_longest(needed, found[: len(needed)])
    ]


def _graph(module: Any) -> Any:
    """Return the graph with its weights as constants; None: it cannot be had so."""
    try:
        return torch.jit.freeze(module).graph
    except RuntimeError:
        return None


def _shown_by(value: Any, depth: int = 0) -> Taken | None:
    return next((found for use in value.uses() if (found := _shown_by_use(use, depth))), None)


def _shown_by_use(use: Any, depth: int) -> Taken | None:
    node, place = use.user, use.offset
    kind = node.kind()
    if kind in _UNCHANGED and place == 0 and depth < _MAX_DEPTH:
        return _shown_by(next(node.outputs()), depth + 1)
    if kind == "aten::embedding" and place == 1:
        return Taken("", None, "int64")
    weight = next((tensor for tensor in _constants(node) if tensor.dim() > 1), None)
    if weight is None or place != 0:
        return None
    if kind == "aten::linear":
        return Taken("", (weight.shape[1],), name_of(weight.dtype))
    if kind in _CONVOLUTIONS:
        return Taken("", (None,) * (weight.dim() - 1), name_of(weight.dtype))
    return None


def _constants(node: Any) -> Iterator[torch.Tensor]:
    for value in node.inputs():
        made_by = value.node()
        if made_by.kind() == "prim::Constant" and str(value.type().kind()) == "TensorType":
            given = value.toIValue()
            if isinstance(given, torch.Tensor):
                yield given
