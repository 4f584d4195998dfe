"""Is the file the one that the version names?"""

import hashlib
from pathlib import Path

from modelport_runtime.core.types import LoadError


def verify(path: Path, expected: str) -> None:
    """Compare the file's sha256. Raises `LoadError`: ArtifactNotFound, DigestMismatch."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        raise LoadError("ArtifactNotFound", "The fetch container left no model file.") from None
    if found != expected:
        # Not what it is instead: see modelport_runtime.fetch.
        raise LoadError("DigestMismatch", f"The file's sha256 is not {expected}, which the version names.")
