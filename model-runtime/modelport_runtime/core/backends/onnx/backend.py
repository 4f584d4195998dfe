"""ONNX models: tensors in by name, and out of them a label, probabilities, numbers or named tensors."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as raised

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.onnx.file import (
    Labels,
    class_labels,
    declares_missing,
    is_recurrent,
    label_constants,
    scalar_inputs,
)
from modelport_runtime.core.backends.onnx.graph import Graph
from modelport_runtime.core.backends.onnx.outputs import read_outputs
from modelport_runtime.core.backends.onnx.session import refusal, with_installed_locale
from modelport_runtime.core.signature import Column, Signature, Task, positional_columns
from modelport_runtime.core.types import Outputs

_REFUSALS = (
    raised.Fail,
    raised.InvalidArgument,
    raised.InvalidGraph,
    raised.InvalidProtobuf,
    raised.NotImplemented,
    raised.RuntimeException,
)
# By the smallest and the largest of all values; filled up to the longest of all texts.
_LOOK_BESIDE = (b"DynamicQuantize", b"StringSplit")


def load(file: ModelFile) -> Backend:
    """Return the backend of a graph. See `Framework.load`."""
    return SessionBackend(_read(file.path), file.libraries)


def _read(path: Path) -> "SessionParts":
    """Read the file. Raises `LoadError` (CorruptArtifact, UnsupportedFormat) if ONNX Runtime cannot."""
    model = path.read_bytes()
    try:
        return SessionParts(
            _session(model),
            class_labels(model),
            label_constants(model),
            scalar_inputs(model),
            looks_beside=any(kind in model for kind in _LOOK_BESIDE),
            declares_missing=declares_missing(model),
            is_recurrent=is_recurrent(model),
        )
    except (*_REFUSALS, ValueError) as error:
        raise refusal(error) from error


def _session(model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    # Requests are batched, and one worker calls: threads of the session's own would only contend.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    try:
        return onnxruntime.InferenceSession(model, options, providers=providers)
    except raised.Fail as error:
        if "Failed to construct locale" not in str(error):
            raise
        return onnxruntime.InferenceSession(with_installed_locale(model), options, providers=providers)


@dataclass(frozen=True)
class SessionParts:
    """A session, and what else its file declares: declared labels, constants that may be some, scalar inputs,
    whether something in it depends on all rows that come together, whether it has a way for missing values,
    and whether it reads sequences."""

    session: Any
    labels: list[Labels]
    constants: list[Labels]
    scalars: set[str]
    looks_beside: bool = False
    declares_missing: bool = False
    is_recurrent: bool = False


class SessionBackend:
    """An inference session. Raises `LoadError` (UnsupportedFormat) for what is no tensor or has no rows."""

    def __init__(self, parts: SessionParts, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._graph = Graph(
            parts.session, parts.scalars, one_by_one=parts.looks_beside, is_recurrent=parts.is_recurrent
        )
        self._takes_missing = parts.declares_missing and self._graph.makes_numbers_of_nan
        self._named = {
            output.name: output for output in read_outputs(self._graph, parts.labels, parts.constants)
        }

    @cached_property
    def signature(self) -> Signature:
        columns = self._columns()
        only = self._graph.inputs[0]
        texts = len(self._graph.inputs) == 1 and only.is_column and only.dtype == "object"
        classes = next((output.classes for output in self._named.values() if output.classes), None)
        return Signature(
            task=self._task(),
            columns=None if texts else columns,
            positional=not texts and columns is not None and self._one_matrix,
            input="text" if texts else "rows",
            outputs=tuple(self._named),
            classes=classes,
            tensors_in=self._graph.specs_in(),
            tensors_out=tuple(output.spec for output in self._named.values() if output.spec is not None),
        )

    @property
    def _one_matrix(self) -> bool:
        only = self._graph.inputs[0]
        return len(self._graph.inputs) == 1 and only.batched and len(only.row_shape) == 1

    def _task(self) -> Task:
        if any(output.classes or output.name == "probabilities" for output in self._named.values()):
            return "classifier"
        return "regressor" if len(self._named) == 1 else "generic"

    def _columns(self) -> tuple[Column, ...] | None:
        only = self._graph.inputs[0]
        if not self._one_matrix or only.is_column:
            return tuple(each.column(may_be_missing=self._takes_missing) for each in self._graph.inputs)
        (width,) = only.row_shape
        if width is None:
            return None
        optional = self._takes_missing and only.kind == "number"
        return positional_columns(width, kind=only.kind, dtype=only.dtype, optional=optional)

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        whole = signature.input == "text" or (self._one_matrix and not self._graph.inputs[0].is_column)
        return self._graph.assembler(of_one_input=whole)

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        outputs = [self._named[name] for name in wanted]
        given = self._graph.run(inputs, list(dict.fromkeys(chain(*[output.sources for output in outputs]))))
        return Outputs(
            {output.name: output.read(*[given[source] for source in output.sources]) for output in outputs},
            {
                output.name: given[output.sources[0]]
                for output in outputs
                if len(output.sources) == 1 and isinstance(given[output.sources[0]], np.ndarray)
            },
        )
