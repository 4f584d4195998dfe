"""A TensorFlow function as a session of tensors: see `onnx.session_backend`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from modelport_runtime.core.backends.onnx.session_backend import SessionParts
from modelport_runtime.core.types import LoadError

_TYPES = {
    tf.float32: "tensor(float)",
    tf.float64: "tensor(double)",
    tf.float16: "tensor(float16)",
    tf.string: "tensor(string)",
    tf.bool: "tensor(bool)",
    **{
        getattr(tf, f"{sign}int{bits}"): f"tensor({sign}int{bits})"
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
}


@dataclass(frozen=True)
class Reported:
    """A tensor as the model declares it; a free dimension is None."""

    name: str
    type: str
    shape: tuple[int | None, ...]

    @classmethod
    def of(cls, name: str, spec: Any) -> "Reported":
        """spec: what has a dtype and a shape. Of an unknown rank it is `()`, as of a scalar."""
        dtype = tf.as_dtype(spec.dtype)
        shape = (
            spec.shape.as_list()
            if isinstance(spec.shape, tf.TensorShape) and spec.shape.rank is not None
            else ()
        )
        return cls(name, _TYPES.get(dtype, f"tensor({dtype.name})"), tuple(shape))


_ROUNDING = 1e-4
"""Between the predictions of a row alone and in a batch: they are sums of numbers of 32 bits."""
Call = Callable[[list[Any]], Sequence[Any]]
"""Tensors in the order of the inputs → tensors in that of the outputs."""


class FunctionSession:
    """One function of fixed signature. Raises `LoadError` for inputs of types that rows cannot have."""

    def __init__(
        self, call: Call, inputs: Mapping[str, Any], outputs: Mapping[str, Any], owner: Any = None
    ) -> None:
        """inputs, outputs: name → TensorSpec. owner: what has the variables, which are gone with it."""
        self._call, self._owner = call, owner
        self._inputs = [Reported.of(name, spec) for name, spec in inputs.items()]
        self._outputs = [Reported.of(name, spec) for name, spec in outputs.items()]
        self._dtypes = [tf.as_dtype(spec.dtype) for spec in inputs.values()]
        self._places = {each.name: place for place, each in enumerate(self._outputs)}

    def get_inputs(self) -> list[Reported]:
        """Return what it takes."""
        return self._inputs

    def get_outputs(self) -> list[Reported]:
        """Return what it gives."""
        return self._outputs

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, np.ndarray[Any, Any]]) -> list[Any]:
        """Return the outputs of these names, all for None. Raises whatever the model raises."""
        tensors = [
            tf.constant(feeds[each.name], dtype)
            for each, dtype in zip(self._inputs, self._dtypes, strict=True)
        ]
        try:
            given = self._call(tensors)
        except tf.errors.OpError as error:
            _shorten(error)
            raise
        wanted = range(len(given)) if names is None else [self._places[name] for name in names]
        return [_array(given[place]) for place in wanted]


def parts_of(
    session: FunctionSession,
    inputs: Mapping[str, Any],
    kind: str,
    classes: Sequence[Any] = (),
    network: Callable[[], Any] | None = None,
) -> SessionParts:
    """Return what a backend is made of. classes: its first output's, whose probabilities are the other.
    network: see `SessionParts`."""
    scalars = {name for name, spec in inputs.items() if spec.shape.rank == 0}
    labels = [list(classes)] if classes else []
    return SessionParts(
        session,
        labels,
        [],
        scalars,
        kind=kind,
        rounding=_ROUNDING,
        may_classify=bool(classes),
        network=network,
    )


def dense(tensor: Any) -> Any:
    """Return a tensor that NumPy has, of whatever a model gave; within what is compiled."""
    if isinstance(tensor, tf.SparseTensor):
        tensor = tf.sparse.to_dense(tensor)
    if isinstance(tensor, tf.RaggedTensor):
        tensor = tensor.to_tensor()
    tensor = tf.convert_to_tensor(tensor)
    return tf.cast(tensor, tf.float32) if tensor.dtype == tf.bfloat16 else tensor


def compiled(call: Call, specs: Sequence[Any]) -> tuple[Call, list[Any]]:
    """Trace `call` once for tensors of these specs; return what calls it, and the specs of its outputs."""

    def traced(*tensors: Any) -> list[Any]:
        return [dense(each) for each in call(list(tensors))]

    function = tf.function(traced, input_signature=list(specs), autograph=False).get_concrete_function()
    return lambda tensors: function(*tensors), list(function.structured_outputs)


def require_dense(name: str, kind: str | None) -> None:
    """Raise `LoadError` for an input of this kind (sparse, ragged), as which no rows can be given."""
    if kind is not None:
        raise LoadError(
            "UnsupportedFormat",
            f"The input {name} is a {kind} tensor, which no rows can be given as. Save a model that takes a "
            "dense one and makes it sparse or ragged itself.",
        )


def _shorten(error: Any) -> None:
    """Leave of an error what was wrong: TensorFlow says first where in the graph it was, in several lines."""
    lines = [line for line in error.message.splitlines() if line.strip()]
    said = next((place for place, line in enumerate(lines) if "[[{{node" in line), len(lines))
    error._message = lines[said - 1].strip() if said else error.message


def _array(tensor: Any) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = np.asarray(tensor.numpy())
    if tensor.dtype != tf.string:
        return array
    texts = [text.decode("utf-8", "replace") for text in array.ravel()]
    return np.array(texts, dtype=object).reshape(array.shape)
