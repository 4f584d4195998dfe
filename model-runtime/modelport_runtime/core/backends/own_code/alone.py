"""Code of a user's own beside a file that no framework reads: it must define the model itself."""

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.types import LoadError


def load(_file: ModelFile) -> Backend:
    """Raise `LoadError`: nothing but `class Model` can read it. See `Framework.load`."""
    raise LoadError(
        "NotAModel", "The code defines no class Model, and no library here reads the file beside it."
    )
