"""Keras models: `.keras` archives and whole-model `.h5` files, read in Keras' safe mode."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import keras
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format
from keras.src.saving import saving_lib
from modelport_formats import archives

from modelport_runtime.core.backends.onnx.session_backend import SessionParts
from modelport_runtime.core.backends.tensorflow.refusals import EXPORT, refusal
from modelport_runtime.core.backends.tensorflow.session import (
    FunctionSession,
    compiled,
    parts_of,
    require_dense,
)
from modelport_runtime.core.types import LoadError

_CLASS = "prediction"
"""The output that is made of a softmax: the class of the highest probability."""


def read(path: Path, *, is_hdf5: bool) -> SessionParts:
    """Return a model as a session. Raises `LoadError`."""
    try:
        model = _hdf5(path) if is_hdf5 else _archive(path)
    except LoadError:
        raise
    except Exception as error:  # what Keras raises over a file is of every type
        raise refusal(error, "Keras") from error
    return _session(model)


def _archive(path: Path) -> Any:
    # `keras.saving.load_model` goes by the file's name, which has no suffix here.
    with path.open("rb") as file:
        # Keras unpacks these onto a disk, which a model here has none of.
        if any(name.startswith("assets/") for name in archives.names(file)):
            raise LoadError(
                "UnsupportedFormat",
                "The model keeps a vocabulary in a file of its own, as adapt() makes it, and "
                f"that is not read here. {EXPORT}",
            )
        return saving_lib._load_model_from_fileobj(file, custom_objects=None, compile=False, safe_mode=True)


def _hdf5(path: Path) -> Any:
    with h5py.File(path, "r", locking=False) as file:
        return legacy_h5_format.load_model_from_hdf5(file, compile=False, safe_mode=True)


def _session(model: Any) -> SessionParts:
    inputs, call = _inputs(model), _caller(model)
    serve, given = compiled(call, list(inputs.values()))
    names = _output_names(model, len(given))
    width = _classes(model, given)
    if width is None:
        session = FunctionSession(serve, inputs, dict(zip(names, given, strict=True)))
        return parts_of(session, inputs, "Keras", network=partial(_network, model, inputs, names, 0))

    def with_class(tensors: list[Any]) -> Sequence[Any]:
        (scores,) = call(tensors)
        return [tf.argmax(scores, axis=-1), tf.cast(scores, tf.float32)]

    serve, (label, probabilities) = compiled(with_class, list(inputs.values()))
    outputs = {_CLASS: label, _unlike(names[0], _CLASS): probabilities}
    network = partial(_network, model, inputs, list(outputs), width)
    return parts_of(FunctionSession(serve, inputs, outputs), inputs, "Keras", range(width), network=network)


def _network(model: Any, inputs: dict[str, Any], outputs: Sequence[str], classes: int) -> Any:
    """Return the model for kernels. Raises `NotConverted`."""
    from modelport_runtime.core.acceleration.networks.converters import keras_models

    tensors = [keras_models.tensor(name, spec.dtype.name, spec.shape) for name, spec in inputs.items()]
    weights = dict(_weights(model, ""))
    kind = type(model).__name__
    held = keras_models.KerasModel(kind, model.get_config(), weights, tensors, outputs, classes)
    return keras_models.convert(held)


def _weights(model: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the variables of each layer by their names, layers by their path."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _weights(layer, f"{path}{layer.name}/")
        else:
            yield path + layer.name, {each.name: keras.ops.convert_to_numpy(each) for each in layer.weights}


def _inputs(model: Any) -> dict[str, Any]:
    """Return name → TensorSpec of each InputLayer. Raises `LoadError` (UnsupportedFormat) for none."""
    declared = None
    # A model that was never built has no attribute of the kind, or raises.
    with suppress(AttributeError, ValueError):
        declared = model.inputs
    if not declared:
        raise LoadError(
            "UnsupportedFormat",
            f"The {type(model).__name__} model does not say what it takes. Begin it with "
            "keras.Input((number of columns,)) and save it again.",
        )
    specs = {}
    for place, tensor in enumerate(declared):
        for kind in ("sparse", "ragged"):
            require_dense(tensor.name, kind if getattr(tensor, kind, False) else None)
        dtype = tf.as_dtype(tensor.dtype)
        dtype = tf.float32 if dtype == tf.bfloat16 else dtype
        name = tensor.name if tensor.name not in specs else f"{tensor.name}_{place}"
        specs[name] = tf.TensorSpec(tensor.shape, dtype)
    return specs


def _caller(model: Any) -> Any:
    structure = getattr(model, "_inputs_struct", None)
    dtypes = [tf.as_dtype(tensor.dtype) for tensor in model.inputs]

    def call(tensors: list[Any]) -> list[Any]:
        cast = [
            tf.cast(each, dtype) if each.dtype != dtype else each
            for each, dtype in zip(tensors, dtypes, strict=True)
        ]
        given = cast[0] if structure is None else keras.tree.pack_sequence_as(structure, cast)
        return list(keras.tree.flatten(model(given, training=False)))

    return call


def _output_names(model: Any, count: int) -> list[str]:
    structure = getattr(model, "_outputs_struct", None)
    if isinstance(structure, dict) and len(structure) == count:
        # In the order in which Keras flattens it.
        flat = keras.tree.flatten({name: name for name in structure})
        return list(map(str, flat))
    names = list(map(str, getattr(model, "output_names", ())))
    if len(names) == count and len(set(names)) == count:
        return names
    return [f"output_{place}" for place in range(count)]


def _classes(model: Any, given: Sequence[Any]) -> int | None:
    """Return the number of classes of a model that ends in a softmax of one row of numbers."""
    if len(given) != 1 or given[0].shape.rank != 2 or not given[0].dtype.is_floating:
        return None
    width = given[0].shape[1]
    return width if width is not None and width > 1 and _ends_in_softmax(model) else None


def _ends_in_softmax(model: Any) -> bool:
    layer = model
    while getattr(layer, "outputs", None):
        last = layer.outputs[0]._keras_history.operation
        if last is layer:
            return False
        layer = last
    # A layer, or the operation of keras.ops.
    return (
        type(layer).__name__ == "Softmax" or getattr(layer, "activation", None) is keras.activations.softmax
    )


def _unlike(name: str, other: str) -> str:
    return f"{name}_output" if name == other else name
