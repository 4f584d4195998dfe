"""Keras' layers, each as nodes: by class name, configuration and weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration.converters.blocks import NotConverted, require
from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.converters.builder import Affine, Builder

Weights = Mapping[str, Mapping[str, Any]]
_OPERATIONS = "keras.src.ops."
_OWN = ("keras.layers", "keras.src.layers", _OPERATIONS)
_EPSILON = 1e-7
_HINT_OF_ADAPTERS = ("lora_rank", "quantization_config", "lora_alpha")


@dataclass(frozen=True)
class Layer:
    """`module`: where Keras has it. `weights`: its variables by their names."""

    kind: str
    module: str
    config: Mapping[str, Any]
    weights: Mapping[str, Any]

    @property
    def dtype(self) -> str:
        """Return the type that it computes in. Raises `NotConverted`."""
        held = self.config.get("dtype") or "float32"
        name = held if isinstance(held, str) else str(held["config"]["name"])
        require(name in ("float32", "float64"), f"Keras' {self.kind} in {name} has no kernels.")
        return name


def apply(build: Builder, layer: Layer, given: Sequence[Any]) -> int:
    """Return the place of what a layer gives. Raises `NotConverted`."""
    is_operation = layer.module.startswith(_OPERATIONS)
    table = _OF_OPERATIONS if is_operation else _LAYERS
    convert = table.get(layer.kind) if layer.module.startswith(_OWN) else None
    if convert is None:
        raise NotConverted(f"Keras' {layer.kind} has no kernels.")
    if is_operation:
        require(
            not set(layer.config) - {"name", "dtype"}, f"Keras' {layer.kind} with parameters has no kernels."
        )
        return convert(build, layer, given)
    sources = [int(each) for each in given if isinstance(each, int)]
    require(len(sources) == len(given) > 0, f"Keras' {layer.kind} of a number has no kernels.")
    return convert(build, layer, [_autocast(build, place, layer.dtype) for place in sources])


def _autocast(build: Builder, place: int, dtype: str) -> int:
    """A layer casts fractions to its own type, and leaves whole numbers."""
    return build.cast(place, dtype) if build.is_float(place) else place


def _only(given: Sequence[int]) -> int:
    require(len(given) == 1, "A layer of several tensors has no kernels.")
    return given[0]


def _computed(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    return build.cast(_only(given), layer.dtype)


def _dense(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    adapted = [name for name in _HINT_OF_ADAPTERS if name != "lora_alpha" and layer.config.get(name)]
    require(not adapted, f"Keras' {layer.kind} with {', '.join(adapted)} has no kernels.")
    source = _computed(build, layer, given)
    bias = layer.weights["bias"] if layer.config.get("use_bias", True) else None
    place = build.linear(source, layer.weights["kernel"], bias)
    return _activated(build, place, layer.config.get("activation"))


def _activation(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    return _activated(build, _computed(build, layer, given), layer.config["activation"])


def _activated(build: Builder, place: int, held: Any) -> int:
    if held is None or held == "linear":
        return place
    if isinstance(held, Mapping):
        if held.get("class_name") == "function":
            return _activated(build, place, held["config"])
        module = str(held.get("module") or "")
        return apply(build, Layer(str(held["class_name"]), module, held["config"], {}), [place])
    if held in ("softmax", "log_softmax"):
        return build.add(nodes.Softmax(place, logarithm=held == "log_softmax"))
    require(held in _ACTIVATIONS, f"Keras' activation {held} has no kernels.")
    return build.map(place, *_ACTIVATIONS[held])


_ACTIVATIONS: dict[str, tuple[Any, ...]] = {
    "relu": ("relu",),
    "relu6": ("clip", 0.0, 6.0),
    "leaky_relu": ("leaky_relu", 0.2),
    "elu": ("elu", 1.0),
    "selu": ("selu",),
    "gelu": ("gelu",),
    "silu": ("silu",),
    "swish": ("silu",),
    "mish": ("mish",),
    "sigmoid": ("sigmoid",),
    "log_sigmoid": ("log_sigmoid",),
    "hard_sigmoid": ("hard_sigmoid",),
    "hard_silu": ("hard_swish",),
    "hard_swish": ("hard_swish",),
    "hard_tanh": ("clip", -1.0, 1.0),
    "tanh": ("tanh",),
    "softplus": ("softplus", 1.0, np.inf),
    "softsign": ("softsign",),
    "exponential": ("exp",),
}


def _relu(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    source, config = _computed(build, layer, given), layer.config
    most, slope = config.get("max_value"), config.get("negative_slope") or 0.0
    require(not config.get("threshold") and not (slope and most is not None), "Such a ReLU has no kernels.")
    if slope:
        return build.map(source, "leaky_relu", slope)
    return build.map(source, "relu") if most is None else build.map(source, "clip", 0.0, most)


def _leaky_relu(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    return build.map(_computed(build, layer, given), "leaky_relu", layer.config.get("negative_slope", 0.3))


def _elu(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    return build.map(_computed(build, layer, given), "elu", layer.config.get("alpha", 1.0))


def _prelu(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    source = _computed(build, layer, given)
    below = build.pair(source, build.constant(0.0, layer.dtype), "minimum")
    scaled = build.pair(below, build.constant(layer.weights["alpha"], layer.dtype), "multiply")
    return build.pair(build.map(source, "relu"), scaled, "add")


def _softmax(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    source = _computed(build, layer, given)
    require(_axes(build, source, layer.config.get("axis", -1)) == [len(build.shape(source)) - 1],
            "Softmax over another size than the last has no kernels.")  # fmt: skip
    return build.add(nodes.Softmax(source))


def _axes(build: Builder, source: int, held: Any) -> list[int]:
    """Return axes of a row: Keras counts the rows' first."""
    rank = len(build.shape(source)) + 1
    axes = [int(each) for each in (held if isinstance(held, list | tuple) else [held])]
    axes = sorted(axis + rank if axis < 0 else axis for axis in axes)
    require(min(axes) >= 1, "A layer that takes rows with each other has no kernels.")
    return [axis - 1 for axis in axes]


def _are_last(build: Builder, source: int, axes: list[int]) -> bool:
    rank = len(build.shape(source))
    return axes == list(range(rank - len(axes), rank))


def _affine(layer: Layer) -> Affine:
    return Affine(layer.weights.get("gamma"), layer.weights.get("beta"), float(layer.config["epsilon"]))


def _batch_normalization(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    source = _computed(build, layer, given)
    axes = _axes(build, source, layer.config.get("axis", -1))
    require(_are_last(build, source, axes), "Normalization over another size than the last has no kernels.")
    mean, variance = layer.weights["moving_mean"], layer.weights["moving_variance"]
    return build.normalized(source, mean, variance, _affine(layer))


def _layer_normalization(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    source = _computed(build, layer, given)
    axes = _axes(build, source, layer.config.get("axis", -1))
    require(
        _are_last(build, source, axes) and not layer.config.get("rms_scaling"),
        "Normalization over another size than the last has no kernels.",
    )
    return build.standardized(source, len(axes), _affine(layer))


def _normalization(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    source, held = _computed(build, layer, given), layer.config
    if held.get("axis") not in (None, [], ()):
        axes = _axes(build, source, held["axis"])
        require(
            _are_last(build, source, axes), "Normalization over another size than the last has no kernels."
        )
    mean, variance = (
        np.asarray(layer.weights[name] if held.get(name) is None else held[name], layer.dtype)
        for name in ("mean", "variance")
    )
    spread = build.constant(np.maximum(np.sqrt(variance), np.asarray(_EPSILON, layer.dtype)), layer.dtype)
    center = build.constant(mean, layer.dtype)
    if held.get("invert"):
        return build.pair(center, build.pair(source, spread, "multiply"), "add")
    return build.pair(build.pair(source, center, "subtract"), spread, "divide")


def _rescaling(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    source = _computed(build, layer, given)
    return build.scaled(source, layer.config["scale"], layer.config.get("offset", 0.0))


def _unchanged(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    return _only(given)


def _flatten(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    source = _only(given)
    require(
        layer.config.get("data_format", "channels_last") == "channels_last" or len(build.shape(source)) < 2,
        "Channels in front have no kernels.",
    )
    return build.reshape(source, (int(np.prod(build.shape(source))),))


def _reshape(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    source = _only(given)
    wanted = [int(size) for size in layer.config["target_shape"]]
    total = int(np.prod(build.shape(source)))
    known = int(np.prod([size for size in wanted if size != -1]))
    return build.reshape(source, [total // max(known, 1) if size == -1 else size for size in wanted])


def _permute(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    return build.add(nodes.Permute(_only(given), tuple(int(dim) - 1 for dim in layer.config["dims"])))


def _concatenate(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    dtypes = {build.dtype(place) for place in given}
    sources = given if len(dtypes) == 1 else [build.cast(place, layer.dtype) for place in given]
    (axis,) = _axes(build, sources[0], layer.config.get("axis", -1))
    return build.joined(sources, axis)


def _merged(operation: nodes.Operation) -> Callable[[Builder, Layer, Sequence[int]], int]:
    def convert(build: Builder, layer: Layer, given: Sequence[int]) -> int:
        sources = [build.cast(place, layer.dtype) for place in given]
        place = reduce(lambda left, right: build.pair(left, right, operation), sources)
        if layer.kind != "Average":
            return place
        return build.pair(place, build.constant(len(sources), layer.dtype), "divide")

    return convert


def _embedding(build: Builder, layer: Layer, given: Sequence[int]) -> int:
    require(
        not any(layer.config.get(name) for name in _HINT_OF_ADAPTERS), "Such an Embedding has no kernels."
    )
    source = _only(given)
    whole = build.cast(source, "int32") if build.is_float(source) else source
    return build.cast(build.embedding(whole, layer.weights["embeddings"], wraps=True), layer.dtype)


def _pooled(operation: nodes.Reduction) -> Callable[[Builder, Layer, Sequence[int]], int]:
    def convert(build: Builder, layer: Layer, given: Sequence[int]) -> int:
        source = _computed(build, layer, given)
        plain = not layer.config.get("keepdims") and layer.config.get("data_format") == "channels_last"
        require(plain and len(build.shape(source)) == 2, "Such a pooling has no kernels.")
        return build.add(nodes.Reduce(source, 0, operation))

    return convert


Convert = Callable[[Builder, Layer, Sequence[Any]], int]
_LAYERS: dict[str, Convert] = {
    **dict.fromkeys(
        ("InputLayer", "Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout", "SpatialDropout1D",
         "ActivityRegularization", "Identity"),
        _unchanged,
    ),
    "Dense": _dense,
    "Activation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "ELU": _elu,
    "PReLU": _prelu,
    "Softmax": _softmax,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "Concatenate": _concatenate,
    "Add": _merged("add"),
    "Subtract": _merged("subtract"),
    "Multiply": _merged("multiply"),
    "Average": _merged("add"),
    "Maximum": _merged("maximum"),
    "Minimum": _merged("minimum"),
    "Embedding": _embedding,
    "GlobalAveragePooling1D": _pooled("mean"),
    "GlobalMaxPooling1D": _pooled("max"),
}  # fmt: skip


def _function(function: nodes.Function, *parameters: float) -> Convert:
    def convert(build: Builder, layer: Layer, given: Sequence[Any]) -> int:
        return build.map(_only(given), function, *parameters)

    return convert


def _arithmetic(operation: nodes.Operation) -> Convert:
    def convert(build: Builder, layer: Layer, given: Sequence[Any]) -> int:
        places = [each for each in given if isinstance(each, int)]
        dtypes = {build.dtype(place) for place in places}
        require(
            len(given) == 2 and len(dtypes) == 1 and build.is_float(places[0]),
            f"Keras' {layer.kind} of such tensors has no kernels.",
        )
        left, right = (
            each if isinstance(each, int) else build.constant(each.value, *dtypes) for each in given
        )
        return build.pair(left, right, operation)

    return convert


_OF_OPERATIONS: dict[str, Convert] = {
    "Add": _arithmetic("add"),
    "Subtract": _arithmetic("subtract"),
    "Multiply": _arithmetic("multiply"),
    "TrueDivide": _arithmetic("divide"),
    "Divide": _arithmetic("divide"),
    "Maximum": _arithmetic("maximum"),
    "Minimum": _arithmetic("minimum"),
    "Relu": _function("relu"),
    "Relu6": _function("clip", 0.0, 6.0),
    "Sigmoid": _function("sigmoid"),
    "Tanh": _function("tanh"),
    "Silu": _function("silu"),
    "Softplus": _function("softplus", 1.0, np.inf),
    "Exp": _function("exp"),
    "Log": _function("log"),
    "Sqrt": _function("sqrt"),
    "Square": _function("square"),
    "Absolute": _function("abs"),
    "Negative": _function("negative"),
}
