"""ONNX models: tensors in by name, and out of them a label, probabilities, numbers or named tensors."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument, InvalidGraph, InvalidProtobuf

from modelport_runtime.core.answers import class_key, keyed, plain
from modelport_runtime.core.backends.onnx_labels import class_labels
from modelport_runtime.core.outputs import Outputs
from modelport_runtime.core.signature import Column, Signature, positional_columns
from modelport_runtime.core.types import LoadError

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(string)": "object",
    "tensor(bool)": "bool",
    **{f"tensor({sign}int{bits})": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


def read(path: Path) -> "SessionParts":
    """Read the file. Raises `LoadError` (CorruptArtifact) if ONNX Runtime cannot."""
    model = path.read_bytes()
    options = onnxruntime.SessionOptions()
    # Requests are batched, and one worker asks: threads of the session's own would only contend.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return SessionParts(session, class_labels(model))
    except (InvalidProtobuf, InvalidGraph, InvalidArgument, ValueError) as error:
        raise LoadError("CorruptArtifact", f"ONNX Runtime cannot read the file: {error}") from error


class SessionParts:
    """A session and the labels that its file holds."""

    def __init__(self, session: Any, labels: list[str] | list[int] | None) -> None:
        self.session = session
        self.labels = labels


class SessionBackend:
    """An inference session. Raises `LoadError` (UnsupportedFormat) for inputs that are no tensors."""

    def __init__(self, parts: SessionParts, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._session = parts.session
        self._labels = parts.labels
        self._inputs = parts.session.get_inputs()
        self._outputs = parts.session.get_outputs()
        unknown = [i.name for i in self._inputs if i.type not in _DTYPES]
        if unknown or not self._inputs:
            raise LoadError("UnsupportedFormat", f"The ONNX inputs {unknown} are not tensors of known types.")

    @cached_property
    def signature(self) -> Signature:
        columns = self._columns()
        texts = (
            len(self._inputs) == 1
            and _is_column(self._inputs[0])
            and self._inputs[0].type == "tensor(string)"
        )
        classifies = self._classifies
        return Signature(
            task="classifier" if classifies else self._other_task(),
            columns=None if texts else columns,
            positional=not texts and columns is not None and self._one_matrix,
            input="text" if texts else "rows",
            outputs=("prediction", "probabilities") if classifies else ("prediction",),
            classes=tuple(self._labels) if classifies and self._labels else None,
        )

    @property
    def _one_matrix(self) -> bool:
        return len(self._inputs) == 1 and len(self._inputs[0].shape) == 2

    @property
    def _classifies(self) -> bool:
        """The form that every converter of classifiers gives: a label a row, then the probabilities."""
        if len(self._outputs) != 2:
            return False
        label, scores = self._outputs
        return label.type in ("tensor(int64)", "tensor(string)") and (
            scores.type.startswith("seq(map(") or (scores.type == "tensor(float)" and len(scores.shape) == 2)
        )

    def _other_task(self) -> Any:
        return "regressor" if len(self._outputs) == 1 else "generic"

    def _columns(self) -> tuple[Column, ...] | None:
        if not self._one_matrix or self._inputs[0].shape[1] == 1:
            return tuple(_column(i) for i in self._inputs)
        only = self._inputs[0]
        if not isinstance(only.shape[1], int):
            return None
        kind, dtype = _kind(only.type)
        return positional_columns(only.shape[1], kind=kind, dtype=dtype)

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        if signature.input == "text":
            only = self._inputs[0]
            shape = (-1,) if len(only.shape) == 1 else (-1, 1)
            return lambda rows: {only.name: np.array(rows, dtype=object).reshape(shape)}
        if self._one_matrix and (signature.columns is None or len(signature.columns) != 1):
            only, dtype = self._inputs[0], _DTYPES[self._inputs[0].type]
            return lambda rows: {only.name: np.array(rows, dtype=dtype)}
        return self._feed_by_column

    def _feed_by_column(self, rows: list[Any]) -> dict[str, Any]:
        columns = zip(*rows, strict=True)
        return {i.name: _tensor(i, values) for i, values in zip(self._inputs, columns, strict=True)}

    def answer(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        if not self._classifies:
            return Outputs({"prediction": self._predict(inputs)})
        read = {
            "prediction": (self._outputs[0].name, _without_last_one),
            "probabilities": (self._outputs[1].name, self._named),
        }
        given = self._session.run([read[name][0] for name in wanted], inputs)
        return Outputs({name: read[name][1](result) for name, result in zip(wanted, given, strict=True)})

    def _predict(self, inputs: Any) -> list[Any]:
        given = self._session.run(None, inputs)
        if len(given) == 1:
            return _without_last_one(given[0])
        rows = zip(*(plain(array) for array in given), strict=True)
        names = [output.name for output in self._outputs]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _named(self, given: Any) -> list[Any]:
        if isinstance(given, list):
            return [{class_key(label): value for label, value in _shortest(row)} for row in given]
        return keyed(given, self._labels or range(given.shape[1]))


def _shortest(row: dict[Any, float]) -> Any:
    """The map holds float32 numbers as Python floats; only the digits of a float32 mean anything."""
    return zip(row, plain(np.array(list(row.values()), dtype=np.float32)), strict=True)


def _without_last_one(result: Any) -> list[Any]:
    """A regressor gives n × 1: the row's one number, not a list of it."""
    array = np.asarray(result)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    listed: list[Any] = plain(array)
    return listed


def _is_column(model_input: Any) -> bool:
    return len(model_input.shape) == 1 or (len(model_input.shape) == 2 and model_input.shape[1] == 1)


def _kind(onnx_type: str) -> tuple[Any, str]:
    dtype = _DTYPES[onnx_type]
    if dtype == "object":
        return "string", dtype
    return {"f": "number", "b": "boolean"}.get(np.dtype(dtype).kind, "integer"), dtype


def _column(model_input: Any) -> Column:
    kind, dtype = _kind(model_input.type)
    if _is_column(model_input):
        return Column(model_input.name, kind, dtype)
    shape = tuple(size if isinstance(size, int) else None for size in model_input.shape[1:])
    return Column(model_input.name, "tensor", dtype, shape=shape)


def _tensor(model_input: Any, values: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    array = np.array(values, dtype=_DTYPES[model_input.type])
    return array.reshape(-1, 1) if array.ndim == 1 and len(model_input.shape) == 2 else array
