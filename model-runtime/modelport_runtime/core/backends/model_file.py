"""A model file on its way to a backend, and reading it where that may run code: pickle, joblib and skops."""

import lzma
import pickle
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelport_formats.signatures import ZIP

from modelport_runtime.core import compatibility
from modelport_runtime.core.types import LoadError

_BROKEN = (EOFError, pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


def read(path: Path, *, trusted: bool, found: Mapping[str, str]) -> Any:
    """Read what the file holds, recognized by its first bytes. Raises `LoadError`, or whatever its code
    raises.

    trusted: skops files may hold types that skops itself does not trust.
    found: the versions of libraries that the file names; what another version saved is mended.
    """
    with compatibility.reading(found) as reported:
        held = _read(path, trusted=trusted)
    return compatibility.mend(held, reported)


def _read(path: Path, *, trusted: bool) -> Any:
    with path.open("rb") as file:
        zipped = file.read(4) == ZIP
    try:
        return _read_skops(path, trusted=trusted) if zipped else _read_joblib(path)
    except _BROKEN as error:
        detail = f" ({error})" if str(error) else ""
        raise LoadError("CorruptArtifact", f"The file is cut off or no pickle{detail}.") from error
    except KeyError as error:
        if not _is_unknown_opcode(error):
            raise
        detail = f"it holds the byte {error}, which means nothing there"
        raise LoadError("CorruptArtifact", f"The file is damaged or no pickle ({detail}).") from error


def _is_unknown_opcode(error: KeyError) -> bool:
    """joblib reads with the `Unpickler` in Python, which looks each opcode up and raises what that raises."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is pickle._Unpickler.load.__code__


def _read_joblib(path: Path) -> Any:
    # joblib reads plain pickles too, and finds the compression by the first bytes.
    import joblib

    return joblib.load(path)


def _read_skops(path: Path, *, trusted: bool) -> Any:
    from skops import io

    untrusted = io.get_untrusted_types(file=path)
    if untrusted and not trusted:
        raise LoadError(
            "LoadFailed",
            f"The skops file holds types that skops does not trust: {', '.join(untrusted)}. "
            "Save it with joblib, or without them.",
        )
    return io.load(path, trusted=untrusted)


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
        return read(self.path, trusted=self.trusted, found=self.found)
