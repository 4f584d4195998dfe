"""Writes and unpacks them: the same bytes for the same parts.

Sorted, stored uncompressed, and with nothing of when or where they were made.
"""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from modelport_formats import archives, folders
from modelport_formats.errors import DamagedFile, UnknownFormat
from modelport_formats.folders import Member

_READ_ONLY_FILE = 0o100444 << 16
_UNIX = 3


def pieces(manifest: str, text: bytes, members: Iterable[Member]) -> Iterator[bytes]:
    """Yield the archive's bytes. `text`: what the member `manifest` holds."""
    first = Member(manifest, len(text), lambda: iter([text]))
    return zipped((first, *sorted(members, key=lambda each: each.name)))


def zipped(members: Iterable[Member]) -> Iterator[bytes]:
    """Yield a zip of the members, in their order and not compressed."""
    written = _Written()
    with zipfile.ZipFile(cast("BinaryIO", written), "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name)
            info.create_system, info.external_attr = _UNIX, _READ_ONLY_FILE
            info.file_size = member.size
            with archive.open(info, "w") as content:
                for piece in member.pieces():
                    content.write(piece)
                    yield written.take()
    yield written.take()


class _Written:
    """What zipfile has written and nobody has taken: it cannot go back in it."""

    def __init__(self) -> None:
        self._content = bytearray()

    def write(self, content: bytes) -> int:
        self._content += content
        return len(content)

    def take(self) -> bytes:
        taken, self._content = bytes(self._content), bytearray()
        return taken

    def flush(self) -> None:
        """Nothing is held back."""


def check(file: BinaryIO, size: int, named: Iterable[str], manifest: str) -> None:
    """Raise UnknownFormat or DamagedFile for an archive of `size` bytes that is never unpacked.

    named: the members that its manifest names.
    """
    if any(info.compress_type != zipfile.ZIP_STORED for info in archives.members(file)):
        raise UnknownFormat("The archive is compressed, as none is that Modelport wrote.")
    found = list(folders.members(file, size))
    if sum(member.size for member in found) > size:
        raise DamagedFile("The archive names more bytes than it has.")
    if not set(named) <= {member.name for member in found}:
        raise DamagedFile(f"The archive lacks what its {manifest} names.")


def unpack(path: Path, folder: Path) -> None:
    """Write the members of an archive whose manifest names none of them below `folder`, which is made.

    Raises UnknownFormat or DamagedFile, and OSError.
    """
    with path.open("rb") as file:
        check(file, path.stat().st_size, (), "manifest")
    write_below(folder, path)


def write_below(folder: Path, path: Path) -> None:
    """Write the members of a checked archive, which can be read alone, into `folder`, which is made.

    Raises UnknownFormat or DamagedFile, and OSError.
    """
    folder.mkdir()
    with path.open("rb") as file:
        for member in folders.members(file, path.stat().st_size):
            target = folder / member.name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(member, target)
            except (FileExistsError, NotADirectoryError):
                raise UnknownFormat("The archive holds a file where it holds a folder.") from None


def _write(member: Member, target: Path) -> None:
    with target.open("xb") as written:
        for piece in member.pieces():
            written.write(piece)
    target.chmod(0o444)
