"""The plain bytes of a joblib or skops file, whatever it was compressed with, a piece at a time."""

import bz2
import gzip
import lzma
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

Read = Callable[[int], bytes]

_MAX_BYTES = 256 * 1024 * 1024
_MAX_SECONDS = 2.0
_CHUNK = 1024 * 1024
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, RuntimeError, zipfile.BadZipFile)
"""RuntimeError: also what zipfile raises over members that it cannot read."""
_OVERLAP = 1024
_GZIP, _BZ2, _XZ, _LZMA, _LZ4 = b"\x1f\x8b", b"BZ", b"\xfd7zXZ", b"\x5d\x00", b"\x04\x22\x4d\x18"
_ZIP = b"PK\x03\x04"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


@contextmanager
def open_plain(path: Path) -> Iterator[Read]:
    """Give a `read(size)`: at most `size` plain bytes, so that a small file cannot fill the memory.

    Damaged data reads as the end of the file: loading will say what is wrong with it.
    """
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(0)
        read = _reader(file, start)

        def read_or_end(size: int) -> bytes:
            try:
                return read(size)
            except _DAMAGED:
                return b""

        yield read_or_end


def windows(path: Path) -> Iterator[bytes]:
    """Give the plain bytes piece by piece; each begins with the end of the one before."""
    deadline = time.monotonic() + _MAX_SECONDS
    tail = b""
    with open_plain(path) as plain:
        for _ in range(_MAX_BYTES // _CHUNK):
            chunk = plain(_CHUNK)
            if not chunk:
                return
            yield tail + chunk
            if time.monotonic() > deadline:
                return
            tail = chunk[-_OVERLAP:]


def _reader(file: IO[bytes], start: bytes) -> Read:
    if start.startswith(_LZ4):
        import lz4.frame

        return _typed(lz4.frame.LZ4FrameFile(file))
    if start.startswith(_ZLIB):
        return _zlib(file)
    if start.startswith(_ZIP):
        return _members(file)
    openers: dict[bytes, Callable[..., Any]] = {
        _GZIP: gzip.GzipFile,
        _BZ2: bz2.BZ2File,
        _XZ: lzma.LZMAFile,
        _LZMA: lzma.LZMAFile,
    }
    for magic, opener in openers.items():
        if start.startswith(magic):
            return _typed(opener(fileobj=file) if opener is gzip.GzipFile else opener(file))
    return file.read


def _typed(opened: Any) -> Read:
    read: Read = opened.read
    return read


def _zlib(file: IO[bytes]) -> Read:
    """joblib's default compression is bare zlib, for which the standard library has no file."""
    inflate = zlib.decompressobj()

    def read(size: int) -> bytes:
        while not inflate.eof:
            data = inflate.unconsumed_tail or file.read(64 * 1024)
            if not data:
                return b""
            if plain := inflate.decompress(data, size):
                return plain
        return b""

    return read


def _members(file: IO[bytes]) -> Read:
    """All members of a zip file, one after the other."""
    pieces = _pieces(file)

    def read(_size: int) -> bytes:
        return next(pieces, b"")

    return read


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                while piece := member.read(_CHUNK):
                    yield piece
