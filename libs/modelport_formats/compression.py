"""The plain bytes of a compressed file, as joblib reads them, with bounds on what unpacking may take.

The caller bounds the plain bytes by what it reads. Here are bounded the memory of a decompressor, and what a
file may be read of without giving anything.
"""

import bz2
import lzma
import zlib
from typing import Any, BinaryIO

from modelport_formats.errors import DamagedFile, FormatError, UnknownFormat
from modelport_formats.signatures import Compression

_CHUNK = 64 * 1024
# xz -9 needs 65 MiB; a file that asks for more is refused instead of taking the process with it.
_LZMA_MEMORY_BYTES = 128 * 1024 * 1024
# No compressor writes much more than it was given, and the largest block, of lz4, has 4 MiB: what gives
# nothing for longer is empty blocks, read at our expense.
_IDLE_BYTES = 8 * 1024 * 1024
_DAMAGED = (zlib.error, OSError, EOFError, lzma.LZMAError, RuntimeError)
"""lz4 raises RuntimeError for a damaged frame."""
_ONE_STREAM = (Compression.ZLIB, Compression.GZIP)
"""Joblib reads the first stream of these alone, and does not miss its end."""


class Decompressor:
    """Reads what a file holds from where it stands.

    `cut_short`: it ended in the middle of a stream, where joblib needs the end of it.
    """

    def __init__(self, file: BinaryIO, compression: Compression) -> None:
        self.cut_short = False
        self._file = file
        self._compression = compression
        self._stream = _stream(compression)
        self._hungry = True
        self._ended = False
        self._taken = self._given = 0

    def read(self, size: int) -> bytes:
        """Return at least one byte and at most `size`; none at the end.

        Raises DamagedFile, or UnknownFormat for what takes too much.
        """
        plain = b""
        while not (plain or self._ended):
            plain = self._step(size)
        self._given += len(plain)
        return plain

    def read_all(self, limit: int) -> bytes:
        """Return the next `limit` bytes, or as many as there are."""
        content = bytearray()
        while len(content) < limit and (plain := self.read(limit - len(content))):
            content += plain
        return bytes(content)

    def _step(self, size: int) -> bytes:
        if self._stream.eof:
            return self._begin_another(size)
        hungry = self._hungry
        data = self._take() if hungry else b""
        plain = self._decompress(data, size)
        if hungry and not (plain or data or self._stream.eof):
            self._ended = True
            self.cut_short = self._compression not in _ONE_STREAM
        return plain

    def _begin_another(self, size: int) -> bytes:
        data = b"" if self._compression in _ONE_STREAM else self._stream.unused_data or self._take()
        if not data:
            self._ended = True
            return b""
        self._stream = _stream(self._compression)
        try:
            return self._decompress(data, size)
        except DamagedFile:
            if self._compression is Compression.LZ4:
                raise
            # No other stream: bz2 and lzma ignore it, too.
            self._ended = True
            return b""

    def _take(self) -> bytes:
        data = self._file.read(_CHUNK)
        self._taken += len(data)
        if self._taken > 2 * self._given + _IDLE_BYTES:
            raise DamagedFile(f"The file is compressed with {self._compression}, but holds hardly anything.")
        return data

    def _decompress(self, data: bytes, size: int) -> bytes:
        try:
            plain: bytes = self._stream.decompress(data, size)
        except _DAMAGED as error:
            raise _explain(error, self._compression) from None
        self._hungry = self._stream.needs_input or not plain
        return plain


def _explain(error: Exception, compression: Compression) -> FormatError:
    if isinstance(error, lzma.LZMAError) and str(error) == "Memory usage limit exceeded":
        return UnknownFormat(
            f"The file is compressed with {compression}, and unpacking it takes more than "
            f"{_LZMA_MEMORY_BYTES >> 20} MiB of memory. Compress it with a preset of 9 or less."
        )
    return DamagedFile(f"The file is compressed with {compression}, but damaged: {error}.")


def _stream(compression: Compression) -> Any:
    """Return a decompressor as bz2 and lzma have it: `decompress(data, max_length)`, `eof`, `needs_input`."""
    match compression:
        case Compression.ZLIB:
            return _Zlib(zlib.MAX_WBITS)
        case Compression.GZIP:
            return _Zlib(zlib.MAX_WBITS | 16)
        case Compression.BZIP2:
            return bz2.BZ2Decompressor()
        case Compression.XZ | Compression.LZMA:
            return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY_BYTES)
        case Compression.LZ4:
            return _lz4()


def _lz4() -> Any:
    try:
        from lz4.frame import LZ4FrameDecompressor
    except ImportError:
        raise UnknownFormat("The file is compressed with lz4, which cannot be read here.") from None
    return LZ4FrameDecompressor()


class _Zlib:
    """zlib keeps input that it had no room for aside; the other decompressors keep it themselves."""

    def __init__(self, window_bits: int) -> None:
        self._inner = zlib.decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
