"""The plain bytes of a model file, whatever it was compressed with, a piece at a time."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from modelport_formats import archives
from modelport_formats.compression import Decompressor
from modelport_formats.errors import FormatError
from modelport_formats.signatures import ZIP, compression_of

_MAX_BYTES = 256 * 1024 * 1024
_MAX_SECONDS = 2.0
_CHUNK = 1024 * 1024
_OVERLAP = 1024


def head(path: Path) -> bytes:
    """Return the first 16 bytes, fewer of a shorter file. Raises OSError."""
    with path.open("rb") as file:
        return file.read(16)


def windows(path: Path) -> Iterator[bytes]:
    """Yield the plain bytes piece by piece; each begins with the end of the one before.

    Damaged data ends them: loading will report what is wrong with it.
    """
    deadline = time.monotonic() + _MAX_SECONDS
    given = 0
    tail = b""
    with path.open("rb") as file:
        for piece in _readable(file):
            yield tail + piece
            given += len(piece)
            if given >= _MAX_BYTES or time.monotonic() > deadline:
                return
            tail = piece[-_OVERLAP:]


def _readable(file: BinaryIO) -> Iterator[bytes]:
    try:
        yield from _pieces(file)
    except FormatError:
        return


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    head = file.read(16)
    file.seek(0)
    if head.startswith(ZIP):
        return archives.pieces(file)
    compression = compression_of(head)
    read = Decompressor(file, compression).read_all if compression else file.read
    return iter(partial(read, _CHUNK), b"")
