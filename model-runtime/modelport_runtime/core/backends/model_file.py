"""A model file on its way to a backend."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelport_runtime.core.backends import pickles


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """What a backend is made of. Reading it may run its code, so only a process without rights does."""

    path: Path
    is_native: bool
    """It starts as the framework's own format does."""
    libraries: dict[str, str]
    """The packages that run its model, with the versions here: for the backend to report."""
    found: Mapping[str, str]
    """The versions of libraries that the file names."""
    trusted: bool
    """A skops file may hold types that skops itself does not trust."""

    def unpickle(self) -> Any:
        """Return what the pickle, joblib or skops file holds.

        Raises `LoadError` (CorruptArtifact, LoadFailed), or whatever the file's own code raises.
        """
        return pickles.read(self.path, trusted=self.trusted, found=self.found)
