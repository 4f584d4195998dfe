"""ONNX models: tensors in by name, and out of them a label, probabilities, numbers or named tensors."""

from pathlib import Path
from typing import Any

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as raised

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.onnx.file import (
    class_labels,
    declares_missing,
    is_recurrent,
    label_constants,
    scalar_inputs,
)
from modelport_runtime.core.backends.onnx.session import refusal, with_installed_locale
from modelport_runtime.core.backends.onnx.session_backend import SessionBackend, SessionParts

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


def _read(path: Path) -> SessionParts:
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
