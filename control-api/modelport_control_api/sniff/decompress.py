"""The beginning of a compressed file, with a bound on the bytes and memory that decompressing takes."""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from lz4.frame import LZ4FrameDecompressor

from modelport_control_api.sniff.errors import CorruptArtifact

_READ_BYTES = 64 * 1024
# xz -9 needs 65 MiB; a file that asks for more is refused instead of taking the process with it.
_LZMA_MEMORY_BYTES = 128 * 1024 * 1024


class _Decompressor(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Zlib:
    """zlib keeps input that it had no room for aside; the other decompressors keep it themselves."""

    def __init__(self, window_bits: int) -> None:
        self._inner = zlib.decompressobj(window_bits)

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def _lzma(format_: int) -> Callable[[], Any]:
    return lambda: lzma.LZMADecompressor(format_, memlimit=_LZMA_MEMORY_BYTES)


def _decompressor_for(head: bytes) -> tuple[str, Callable[[], Any]] | None:
    """Joblib's compressors by their first bytes."""
    if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:
        return "zlib", lambda: _Zlib(zlib.MAX_WBITS)
    known: dict[bytes, tuple[str, Callable[[], Any]]] = {
        b"\x1f\x8b": ("gzip", lambda: _Zlib(zlib.MAX_WBITS | 16)),
        b"BZh": ("bzip2", bz2.BZ2Decompressor),
        b"\xfd7zXZ\x00": ("xz", _lzma(lzma.FORMAT_XZ)),
        b"\x5d\x00\x00": ("lzma", _lzma(lzma.FORMAT_ALONE)),
        b"\x04\x22\x4d\x18": ("lz4", LZ4FrameDecompressor),
    }
    return next((found for magic, found in known.items() if head.startswith(magic)), None)


def decompressed_head(file: BinaryIO, limit: int) -> tuple[str, bytes] | None:
    """Give the compression's name and at most `limit` decompressed bytes; None: not compressed.

    Raises CorruptArtifact if the stream is damaged or ends before its first byte.
    """
    found = _decompressor_for(file.read(16))
    file.seek(0)
    if found is None:
        return None
    name, make = found
    try:
        content = _read(file, make(), limit)
    except (zlib.error, OSError, EOFError, lzma.LZMAError, RuntimeError) as error:
        # lz4 raises RuntimeError for a damaged frame.
        raise CorruptArtifact(f"The file is compressed with {name}, but damaged: {error}.") from None
    if not content:
        raise CorruptArtifact(f"The file is compressed with {name}, but holds nothing or is cut short.")
    return name, content


def _read(file: BinaryIO, decompressor: _Decompressor, limit: int) -> bytes:
    content = bytearray()
    data = file.read(_READ_BYTES)
    while len(content) < limit and data:
        content += decompressor.decompress(data, limit - len(content))
        if getattr(decompressor, "eof", False):
            break
        data = file.read(_READ_BYTES)
    return bytes(content)
