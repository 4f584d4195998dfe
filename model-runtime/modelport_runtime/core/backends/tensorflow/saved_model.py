"""SavedModels, by their serving signature. An archive is unpacked into TensorFlow's memory, not to a disk."""

import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf
from modelport_formats.errors import DamagedFile, FormatError
from modelport_formats.folders import members
from modelport_formats.frameworks.keras import saved_model_folder

from modelport_runtime.core.backends.onnx.session_backend import SessionParts
from modelport_runtime.core.backends.tensorflow.refusals import refusal
from modelport_runtime.core.backends.tensorflow.session import (
    FunctionSession,
    compiled,
    parts_of,
    require_dense,
)
from modelport_runtime.core.types import LoadError

_FOLDER = "ram://model"
_SIGNATURES = ("serving_default", "serve")
_TAG = "serve"


def read(path: Path) -> SessionParts:
    """Return a model as a session. Raises `LoadError`."""
    with _unpacked(path) as folder:
        try:
            loaded = tf.saved_model.load(folder, tags=[_TAG])
        except Exception as error:  # what TensorFlow raises over a file is of every type
            raise refusal(error, "TensorFlow") from error
    return _session(loaded, _signature(loaded))


@contextmanager
def _unpacked(path: Path) -> Iterator[str]:
    try:
        names = _unpack(path)
        yield posixpath.join(_FOLDER, saved_model_folder(names))
    except FormatError as error:
        reason = "CorruptArtifact" if isinstance(error, DamagedFile) else "UnsupportedFormat"
        raise LoadError(reason, str(error)) from error
    finally:
        if tf.io.gfile.exists(_FOLDER):
            tf.io.gfile.rmtree(_FOLDER)


def _unpack(path: Path) -> list[str]:
    names = []
    with path.open("rb") as file:
        for member in members(file, path.stat().st_size):
            names.append(member.name)
            to = posixpath.join(_FOLDER, member.name)
            tf.io.gfile.makedirs(posixpath.dirname(to))
            with tf.io.gfile.GFile(to, "wb") as target:
                for piece in member.pieces():
                    target.write(piece)
    return names


def _signature(loaded: Any) -> Any:
    """Return the function that serves. Raises `LoadError` (UnsupportedFormat) for none."""
    signatures: Mapping[str, Any] = getattr(loaded, "signatures", {})
    found = next((name for name in _SIGNATURES if name in signatures), None)
    if found is None and len(signatures) == 1:
        (found,) = signatures
    if found is None:
        named = f"the signatures {', '.join(sorted(signatures))}" if signatures else "no signature"
        raise LoadError(
            "UnsupportedFormat",
            f"The SavedModel has {named} and no serving_default. Save it with signatures=the function that "
            "serves, or with model.export('folder') of Keras.",
        )
    return signatures[found]


def _session(loaded: Any, function: Any) -> SessionParts:
    inputs: dict[str, Any] = dict(sorted(function.structured_input_signature[1].items()))
    for name, spec in inputs.items():
        kind = type(spec).__name__.removesuffix("TensorSpec").lower()
        require_dense(name, kind or None)
    names: list[str] = sorted(function.structured_outputs)

    def call(tensors: list[Any]) -> list[Any]:
        given = function(**dict(zip(inputs, tensors, strict=True)))
        return [given[name] for name in names]

    serve, outputs = compiled(call, list(inputs.values()))
    session = FunctionSession(serve, inputs, dict(zip(names, outputs, strict=True)), owner=loaded)
    return parts_of(session, inputs, "TensorFlow")
