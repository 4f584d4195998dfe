"""Functions of `jax.export`: StableHLO that XLA compiles for this processor, in the sandbox."""

from modelport_formats.errors import DamagedFile, UnknownFormat
from modelport_formats.frameworks import jax_files

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.onnx.session_backend import SessionBackend, SessionParts
from modelport_runtime.core.types import LoadError


def load(file: ModelFile) -> Backend:
    """Return the backend of an exported function. See `Framework.load`. Raises `LoadError`."""
    try:
        jax_files.check_at(file.path)
    except DamagedFile as error:
        raise LoadError("CorruptArtifact", str(error)) from error
    except UnknownFormat as error:
        raise LoadError("UnsupportedFormat", str(error)) from error
    from modelport_runtime.core.backends.jax.session import ROUNDING, ExportedSession

    session = ExportedSession.read(file.path)
    return SessionBackend(SessionParts(session, kind="JAX", rounding=ROUNDING), file.libraries)
