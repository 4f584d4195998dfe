"""PyTorch models: tensors in by name, and out of them numbers or named tensors."""

from modelport_formats.errors import DamagedFile, UnknownFormat
from modelport_formats.frameworks import torch_files

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.onnx.session_backend import SessionBackend
from modelport_runtime.core.types import LoadError


def load(file: ModelFile) -> Backend:
    """Return the backend of a program or of TorchScript. See `Framework.load`."""
    try:
        found = torch_files.kind_at(file.path) if file.is_native else None
        if found is torch_files.Kind.EXPORTED:
            return _exported(file)
    except DamagedFile as error:
        raise LoadError("CorruptArtifact", str(error)) from error
    except UnknownFormat as error:
        raise LoadError("UnsupportedFormat", str(error)) from error
    if found is None:
        raise LoadError("UnsupportedFormat", "The file is neither a torch.export program nor TorchScript.")
    from modelport_runtime.core.backends.torch.script import ScriptBackend

    return ScriptBackend(file.path, file.libraries)


def _exported(file: ModelFile) -> Backend:
    from modelport_runtime.core.backends.torch.exported import parts_of

    return SessionBackend(parts_of(file.path), file.libraries)
