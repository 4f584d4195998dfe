"""Writes an ensemble's archive, the same bytes for the same members, and unpacks it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from modelport_formats import archives
from modelport_formats.ensembles import MANIFEST
from modelport_formats.ensembles.manifest import Manifest, from_json
from modelport_formats.folders import Member
from modelport_formats.frameworks.folder_files import marked_as
from modelport_formats.own_code import archive as own_code
from modelport_formats.own_code import is_archive
from modelport_formats.packed import unpacked, zips

# Seventeen samples of 64 KiB, and what is written beside them.
_MAX_MANIFEST_BYTES = 2 << 20
_HEAD_BYTES = 64


def pieces(manifest: Manifest, open_file: Callable[[str], Member]) -> Iterator[bytes]:
    """Yield the archive's bytes. `open_file`: gives the file with the sha256, which becomes its name."""
    files = sorted({each.file for each in manifest.everyone})
    return zips.pieces(MANIFEST, manifest.to_json(), [open_file(sha256) for sha256 in files])


def read_manifest(file: BinaryIO) -> Manifest:
    """Raises UnknownFormat or DamagedFile."""
    return from_json(archives.read(file, MANIFEST, _MAX_MANIFEST_BYTES))


def check(path: Path) -> Manifest:
    """Return what the archive holds. Raises UnknownFormat or DamagedFile for what is never unpacked."""
    with path.open("rb") as file:
        manifest = read_manifest(file)
        named = (each.file for each in manifest.everyone)
        zips.check(file, path.stat().st_size, named, MANIFEST)
    return manifest


def unpack(path: Path, folder: Path) -> None:
    """Write the members, which can be read alone, below `folder`, which is made.

    Beside a member with code of its own, or that is a folder, is what that consists of. Raises UnknownFormat,
    DamagedFile, OSError.
    """
    manifest = check(path)
    zips.write_below(folder, path)
    for name in {each.file for each in manifest.everyone}:
        _unpack_member(folder / name)


def _unpack_member(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if is_archive(head):
        own_code.unpack(path, unpacked(path))
    elif marked_as(head):
        zips.unpack(path, unpacked(path))


def read_unpacked(folder: Path) -> Manifest:
    """Return what the archive said that was unpacked there. Raises DamagedFile, or OSError."""
    with (folder / MANIFEST).open("rb") as file:
        return from_json(file.read(_MAX_MANIFEST_BYTES))
