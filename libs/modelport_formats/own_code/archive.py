"""Writes the archive, the same bytes for the same parts, and unpacks it."""

import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, cast

from modelport_formats import archives, folders
from modelport_formats.errors import DamagedFile, FormatError, UnknownFormat
from modelport_formats.folders import Member
from modelport_formats.own_code import MANIFEST

_MAX_MANIFEST_BYTES = 4096
_READ_ONLY_FILE = 0o100444 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Manifest:
    """Names of members at the top: `entry` is the module that is imported, `model` the model file."""

    entry: str | None
    model: str | None


def pieces(manifest: Manifest, members: Iterable[Member]) -> Iterator[bytes]:
    """Yield the archive's bytes. Nothing of when or where it was made is in it."""
    text = json.dumps(asdict(manifest)).encode()
    first = Member(MANIFEST, len(text), lambda: iter([text]))
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


def read_manifest(file: BinaryIO) -> Manifest:
    """Raises UnknownFormat or DamagedFile."""
    try:
        told = json.loads(archives.read(file, MANIFEST, _MAX_MANIFEST_BYTES))
        manifest = Manifest(told["entry"], told["model"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DamagedFile(f"The archive's {MANIFEST} is none that Modelport wrote.") from None
    for name in (manifest.entry, manifest.model):
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise DamagedFile(f"The archive's {MANIFEST} names no file at its top.")
    return manifest


def check(path: Path) -> Manifest:
    """Return what the archive holds. Raises UnknownFormat or DamagedFile for what is never unpacked."""
    with path.open("rb") as file:
        manifest = read_manifest(file)
        if any(info.compress_type != zipfile.ZIP_STORED for info in archives.members(file)):
            raise UnknownFormat("The archive is compressed, as none is that Modelport wrote.")
        found = list(folders.members(file, path.stat().st_size))
    if sum(member.size for member in found) > path.stat().st_size:
        raise DamagedFile("The archive names more bytes than it has.")
    names = {member.name for member in found}
    if not {name for name in (manifest.entry, manifest.model) if name is not None} <= names:
        raise DamagedFile(f"The archive lacks what its {MANIFEST} names.")
    return manifest


def unpack(path: Path, folder: Path) -> None:
    """Write the members, which can be read alone, below `folder`, which is made.

    Raises UnknownFormat or DamagedFile, and OSError.
    """
    check(path)
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


def why_not_unpacked(path: Path) -> str:
    """Return in a sentence what is wrong with an archive that the init container has left as it is."""
    try:
        check(path)
    except FormatError as error:
        return str(error)
    return "The archive was not unpacked."
