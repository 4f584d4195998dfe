"""TensorFlow models: Keras' `.keras` and `.h5` files, and archives of a SavedModel."""

import tensorflow as tf
from modelport_formats.identify import format_of
from modelport_formats.signatures import Format

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.onnx.session_backend import SessionBackend, SessionParts
from modelport_runtime.core.backends.tensorflow import keras_files, saved_model
from modelport_runtime.core.types import LoadError


def load(file: ModelFile) -> Backend:
    """Return the backend of a model. See `Framework.load`. Raises `LoadError`."""
    # Requests are batched, and one worker calls: threads of TensorFlow's own would only contend.
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    return SessionBackend(_read(file), file.libraries)


def _read(file: ModelFile) -> SessionParts:
    match format_of(file.path):
        case Format.KERAS:
            return keras_files.read(file.path, is_hdf5=False)
        case Format.KERAS_HDF5:
            return keras_files.read(file.path, is_hdf5=True)
        case Format.SAVED_MODEL:
            return saved_model.read(file.path)
        case _:
            raise LoadError(
                "UnsupportedFormat",
                "The file is neither a Keras model (.keras, .h5) nor an archive of a TensorFlow SavedModel.",
            )
