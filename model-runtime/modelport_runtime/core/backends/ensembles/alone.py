"""A file that is called an ensemble and is none."""

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.types import LoadError


def load(_file: ModelFile) -> Backend:
    """Raise `LoadError`. See `Framework.load`."""
    raise LoadError(
        "FrameworkMismatch", "The file is no archive of an ensemble: make one of uploaded versions."
    )
