"""Folders in one file: zip, tar and tar.gz. Members are named and given as bytes, and nothing is written.

What would lead out of the folder, is no plain file, or unpacks to too much is refused with the reason.
"""

import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from modelport_formats import archives
from modelport_formats.compression import Decompressor
from modelport_formats.errors import DamagedFile, UnknownFormat
from modelport_formats.signatures import ZIP, Compression, compression_of

MAX_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 4 << 30
_MAX_RATIO = 200
_SMALL_BYTES = 64 << 20
"""So much any archive may unpack to, whatever its own size."""
_MAX_DEPTH = 32
_MAX_NAME_BYTES = 1024
_BLOCK = 512
_MAX_HEADER_BYTES = 64 << 10
_CHUNK = 1 << 20
_HEAD_BYTES = 1 << 16
_PAX, _PAX_OF_ALL, _LONG_NAME = b"x", b"g", b"L"
_FILES, _FOLDER = (b"0", b"\0", b"7"), b"5"
# What macOS adds to every zip.
_STRAYS = ("__MACOSX/", ".DS_Store")

Pieces = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Member:
    """A plain file. `pieces` gives its bytes, of a tar only until the next member is taken."""

    name: str
    size: int
    pieces: Pieces


def is_tar(head: bytes) -> bool:
    """Return whether the first bytes are a tar's header, by its checksum."""
    try:
        return len(head) >= _BLOCK and any(head[:_BLOCK]) and _checksum(head[:_BLOCK])
    except ValueError:
        return False


def is_compressed_tar(file: BinaryIO) -> bool:
    """Return whether a file is a tar in gzip, by what its beginning unpacks to. Raises DamagedFile."""
    file.seek(0)
    if compression_of(file.read(_BLOCK)) is not Compression.GZIP:
        return False
    file.seek(0)
    return is_tar(Decompressor(file, Compression.GZIP).read_all(_HEAD_BYTES))


def members(file: BinaryIO, size: int) -> Iterator[Member]:
    """Yield the plain files of an archive of `size` bytes. Raises UnknownFormat or DamagedFile."""
    file.seek(0)
    head = file.read(_BLOCK)
    file.seek(0)
    allowed = min(MAX_UNPACKED_BYTES, max(_SMALL_BYTES, _MAX_RATIO * size))
    limits = _Limits(allowed)
    if head.startswith(ZIP):
        found = _of_zip(file)
    else:
        compression = compression_of(head)
        plain = Decompressor(file, compression) if compression is Compression.GZIP else _Plain(file)
        found = _of_tar(_Blocks(plain, allowed + _BLOCK * 6 * MAX_MEMBERS))
    for member in found:
        if not member.name.startswith(_STRAYS[0]) and not member.name.endswith(_STRAYS[1]):
            limits.add(member)
            yield member


@dataclass
class _Limits:
    allowed: int
    names: set[str] = field(default_factory=set)
    unpacked: int = 0

    def add(self, member: Member) -> None:
        _check_name(member.name)
        if member.name in self.names:
            raise UnknownFormat(f"The archive holds {_shown(member.name)} twice. Pack the folder again.")
        self.names.add(member.name)
        self.unpacked += member.size
        if len(self.names) > MAX_MEMBERS:
            raise UnknownFormat(f"The archive holds more than {MAX_MEMBERS} files, as no model does.")
        if self.unpacked > self.allowed:
            raise _too_much(self.allowed)


def _too_much(allowed: int) -> UnknownFormat:
    return UnknownFormat(
        f"The archive unpacks to more than {allowed >> 20} MiB, more than is read of one of its size."
    )


def _check_name(name: str) -> None:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name or ":" in parts[0]:
        raise UnknownFormat(
            f"The archive holds {_shown(name)}, which leads out of its folder. Pack the folder itself, "
            "by relative names."
        )
    if len(parts) > _MAX_DEPTH or len(name.encode(errors="replace")) > _MAX_NAME_BYTES:
        raise UnknownFormat(f"The archive holds a name of more than {_MAX_DEPTH} folders: {_shown(name)}.")


def _shown(name: str) -> str:
    return repr(name if len(name) <= 100 else f"{name[:100]}…")


def _is_no_file(name: str, kind: str) -> UnknownFormat:
    return UnknownFormat(
        f"The archive holds {_shown(name)}, which is {kind} and no plain file. Pack the folder without links."
    )


def _of_zip(file: BinaryIO) -> Iterator[Member]:
    with archives.opened(file) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            if not info.filename:
                raise DamagedFile("The file is a zip archive, but damaged: a member has no name.")
            if info.is_dir():
                _check_name(info.filename)
                continue
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise _is_no_file(info.filename, "a link or a device")
            yield Member(info.filename, info.file_size, lambda info=info: _unzipped(archive, info, file))  # type: ignore[misc]  # a lambda's default


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: BinaryIO) -> Iterator[bytes]:
    # Whoever takes the bytes is not within the block that opened the archive.
    with archives.damage_told(), archives.member(archive, info, file) as content:
        while piece := content.read(_CHUNK):
            yield piece


class _Readable(Protocol):
    def read(self, size: int) -> bytes: ...


class _Plain:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        return self._file.read(size)


class _Blocks:
    """Reads a tar's blocks, and knows how many stand before the next header."""

    def __init__(self, source: _Readable, limit: int) -> None:
        self._source = source
        self._left = self._limit = limit
        self.remaining = self._padding = 0

    def open(self, size: int) -> None:
        self.remaining, self._padding = size, -size % _BLOCK

    def pieces(self) -> Iterator[bytes]:
        while self.remaining:
            piece = self._take(min(_CHUNK, self.remaining))
            self.remaining -= len(piece)
            yield piece

    def header(self) -> bytes:
        """Return the next header, none at the end. Raises DamagedFile if the archive ends before it."""
        for _ in self.pieces():
            pass
        self._exactly(self._padding)
        self._padding = 0
        return self._exactly(_BLOCK)

    def whole(self, size: int) -> bytes:
        if size > _MAX_HEADER_BYTES:
            raise UnknownFormat("The tar archive holds a name of more than 64 KiB.")
        self.open(size)
        return b"".join(self.pieces())

    def _exactly(self, size: int) -> bytes:
        content = bytearray()
        while len(content) < size:
            content += self._take(size - len(content))
        return bytes(content)

    def _take(self, size: int) -> bytes:
        piece = self._source.read(size)
        if not piece:
            raise DamagedFile("The file is a tar archive and cut short.")
        self._left -= len(piece)
        if self._left < 0:
            raise _too_much(self._limit)
        return piece


def _of_tar(blocks: _Blocks) -> Iterator[Member]:
    """The standard library's reader takes seconds for some headers of a few KiB, and knows links."""
    headers, more = 0, dict[str, str]()
    while any(header := blocks.header()):
        headers += 1
        if headers > 3 * MAX_MEMBERS:
            raise UnknownFormat(f"The archive holds more than {MAX_MEMBERS} files, as no model does.")
        kind, size = header[156:157], _size(header, more)
        if kind in (_PAX, _LONG_NAME):
            more |= _extra(kind, blocks.whole(size))
            continue
        name = more.pop("path", None) or _name(header)
        blocks.open(size)
        if kind in _FILES:
            yield Member(name.removeprefix("./"), size, blocks.pieces)
        elif kind not in (_FOLDER, _PAX_OF_ALL):
            raise _is_no_file(name, "a link or a device")
        more.clear()


def _extra(kind: bytes, content: bytes) -> dict[str, str]:
    if kind == _LONG_NAME:
        return {"path": _text(content)}
    found = {}
    while content:
        digits, _, _ = content[:8].partition(b" ")
        if not digits.isdigit() or not len(digits) < int(digits) <= len(content):
            raise DamagedFile("The file is a tar archive, but damaged: an extended header has no length.")
        key, _, value = content[len(digits) + 1 : int(digits) - 1].partition(b"=")
        if key in (b"path", b"size"):
            found[key.decode()] = _text(value)
        if key.startswith(b"GNU.sparse"):
            raise UnknownFormat("The tar archive holds a sparse file. Pack the folder without --sparse.")
        content = content[int(digits) :]
    return found


def _size(header: bytes, more: dict[str, str]) -> int:
    try:
        if not _checksum(header):
            raise ValueError
        size = int(more.pop("size")) if "size" in more else tarfile.nti(header[124:136])  # type: ignore[attr-defined]  # not public, as old as the module
    except (ValueError, tarfile.HeaderError):
        raise DamagedFile("The file is a tar archive, but damaged: a header is none.") from None
    if not 0 <= size <= MAX_UNPACKED_BYTES:
        raise UnknownFormat(f"The archive holds a file of more than {MAX_UNPACKED_BYTES >> 30} GiB.")
    return int(size)


def _checksum(header: bytes) -> bool:
    written = int(header[148:156].strip(b" \0") or b"-1", 8)
    return written == sum(header) - sum(header[148:156]) + 8 * ord(" ")


def _name(header: bytes) -> str:
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{_text(header[:100])}" if prefix else _text(header[:100])


def _text(content: bytes) -> str:
    return content.partition(b"\0")[0].decode("utf-8", "replace")
