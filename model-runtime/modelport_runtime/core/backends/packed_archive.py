"""An artifact that is an archive of several files, which the init container has unpacked beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from modelport_formats.errors import FormatError
from modelport_formats.packed import unpacked

from modelport_runtime.core.types import LoadError

_Manifest = TypeVar("_Manifest")


def read_manifest(path: Path, check: Callable[[Path], _Manifest]) -> _Manifest:
    """Return what `check`, that of the archive's kind, returns of it.

    Raises `LoadError` (CorruptArtifact) for what is never unpacked, and for what was not.
    """
    try:
        manifest = check(path)
    except FormatError as error:
        raise LoadError("CorruptArtifact", str(error)) from error
    if not unpacked(path).is_dir():
        raise LoadError("CorruptArtifact", "The archive was not unpacked.")
    return manifest
