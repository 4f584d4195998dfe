"""A Keras model, its configuration and its weights, as a network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelport_runtime.core.acceleration.converters.blocks import NotConverted, require
from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.converters.builder import Builder, typed
from modelport_runtime.core.acceleration.networks.converters.keras_layers import Layer, Weights, apply

_MODELS = ("Functional", "Sequential", "Model")
_MOST_LAYERS = 1_000
_MOST_DEPTH = 8


@dataclass(frozen=True)
class KerasModel:
    """`config`: what `get_config` gives. `weights`: each layer's variables by their names, layers by their
    path (`inner/dense`). `outputs`: the names of its outputs. `classes`: of a softmax at its end, 0: of none;
    then `outputs` are the names of the class and of the probabilities."""

    kind: str
    config: Mapping[str, Any]
    weights: Weights
    inputs: Sequence[nodes.Tensor]
    outputs: Sequence[str]
    classes: int = 0


def tensor(name: str, dtype: str, shape: Sequence[int | None]) -> nodes.Tensor:
    """Return an input. Raises `NotConverted`."""
    return nodes.Tensor(name, typed(dtype, f"input {name}"), tuple(shape))


def convert(model: KerasModel) -> nodes.Network:
    """Return the network. Raises `NotConverted`, or KeyError and the like for another configuration."""
    build = Builder(model.inputs)
    conversion = _Conversion(build, model.weights)
    given = conversion.model(model.kind, model.config, list(range(len(model.inputs))), "")
    outputs = _with_class(build, given) if model.classes else given
    return build.network(
        [_output(build, name, place) for name, place in zip(model.outputs, outputs, strict=True)],
        classes=model.classes,
        may_classify=model.classes > 0,
        kind="Keras",
    )


def _with_class(build: Builder, given: list[int]) -> list[int]:
    (scores,) = given
    return [build.add(nodes.Reduce(scores, 0, "argmax")), build.cast(scores, "float32")]


def _output(build: Builder, name: str, place: int) -> nodes.Output:
    value = build.values[place]
    # Of a fixed batch the inputs' own first size.
    first = build.inputs[0].shape[0]
    return nodes.Output(nodes.Tensor(name, build.type(place), (first, *value.shape)), place)


class _Conversion:
    def __init__(self, build: Builder, weights: Weights) -> None:
        self._build, self._weights = build, weights
        self._layers = 0

    def model(self, kind: str, config: Mapping[str, Any], inputs: list[int], path: str) -> list[int]:
        """Return the places of a model's outputs. path: of the model itself, with a slash behind."""
        require(kind in _MODELS and path.count("/") < _MOST_DEPTH, f"Keras' {kind} has no kernels.")
        if kind == "Sequential":
            return self._sequential(config, inputs, path)
        return self._functional(config, inputs, path)

    def _sequential(self, config: Mapping[str, Any], inputs: list[int], path: str) -> list[int]:
        for layer in config["layers"]:
            inputs = self._layer(layer, list(inputs), path)
        return inputs

    def _functional(self, config: Mapping[str, Any], inputs: list[int], path: str) -> list[int]:
        layers = {layer["name"]: layer for layer in config["layers"]}
        known = {
            (name, node, at): place
            for (name, node, at), place in zip(_histories(config["input_layers"]), inputs, strict=True)
        }
        wanted = list(_histories(config["output_layers"]))
        self._compute(layers, wanted, known, path)
        return [known[each] for each in wanted]

    def _compute(
        self, layers: Mapping[str, Any], wanted: list["_History"], known: dict["_History", int], path: str
    ) -> None:
        """Compute what is wanted, first what that needs. Without recursion: a network may be deep."""
        waiting = list(wanted)
        while waiting:
            name, node, _ = waiting[-1]
            if waiting[-1] in known:
                waiting.pop()
                continue
            layer = layers[name]
            call = layer["inbound_nodes"][node]
            missing = [each for each in _tensors(call) if each not in known]
            if missing:
                require(len(waiting) < _MOST_LAYERS, "A network of so many layers has no kernels.")
                waiting += missing
                continue
            given = self._called(layer, call, known, path)
            known |= {(name, node, at): place for at, place in enumerate(given)}
            require(waiting[-1] in known, f"An output of Keras' {layer['class_name']} has no kernels.")

    def _called(
        self, layer: Mapping[str, Any], call: Mapping[str, Any], known: Mapping["_History", int], path: str
    ) -> list[int]:
        options = {key: value for key, value in (call.get("kwargs") or {}).items() if value}
        require(not options, f"Keras' {layer['class_name']} with {', '.join(options)} has no kernels.")
        return self._layer(layer, [_operand(each, known) for each in _flat(call["args"])], path)

    def _layer(self, layer: Mapping[str, Any], given: list[Any], path: str) -> list[int]:
        self._layers += 1
        require(self._layers <= _MOST_LAYERS, "A network of so many layers has no kernels.")
        kind, config = str(layer["class_name"]), layer["config"] or {}
        name = path + str(config.get("name", layer.get("name")))
        if kind in _MODELS:
            return self.model(kind, config, given, f"{name}/")
        read = Layer(kind, str(layer.get("module") or ""), config, self._weights.get(name, {}))
        return [apply(self._build, read, given)]


_History = tuple[str, int, int]


def _histories(held: Any) -> Iterator[_History]:
    """Yield layer, node and place of each tensor, in the order in which Keras flattens what holds them."""
    if isinstance(held, Mapping):
        for key in sorted(held):
            yield from _histories(held[key])
    elif len(held) == 3 and isinstance(held[0], str):
        yield (held[0], int(held[1]), int(held[2]))
    else:
        for each in held:
            yield from _histories(each)


def _flat(args: Any) -> Iterator[Any]:
    for each in args:
        if isinstance(each, list | tuple):
            yield from _flat(each)
        else:
            yield each


def _tensors(call: Mapping[str, Any]) -> list[_History]:
    return [_history(each) for each in _flat(call["args"]) if _is_tensor(each)]


def _is_tensor(held: Any) -> bool:
    return isinstance(held, Mapping) and held.get("class_name") == "__keras_tensor__"


def _history(held: Mapping[str, Any]) -> _History:
    (found,) = _histories(held["config"]["keras_history"])
    return found


@dataclass(frozen=True)
class Number:
    """A constant among what a layer takes."""

    value: float


def _operand(held: Any, known: Mapping[_History, int]) -> Any:
    if _is_tensor(held):
        return known[_history(held)]
    if isinstance(held, int | float) and not isinstance(held, bool):
        return Number(float(held))
    raise NotConverted("A layer that takes something that is neither a tensor nor a number has no kernels.")
