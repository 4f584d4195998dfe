"""Writes the archive, the same bytes for the same parts, and unpacks it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from modelport_formats import archives
from modelport_formats.errors import DamagedFile
from modelport_formats.folders import Member
from modelport_formats.own_code import MANIFEST
from modelport_formats.packed import zips

_MAX_MANIFEST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Manifest:
    """Names of members at the top: `entry` is the module that is imported, `model` the model file."""

    entry: str | None
    model: str | None


def pieces(manifest: Manifest, members: Iterable[Member]) -> Iterator[bytes]:
    """Yield the archive's bytes."""
    return zips.pieces(MANIFEST, json.dumps(asdict(manifest)).encode(), members)


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
        named = (name for name in (manifest.entry, manifest.model) if name is not None)
        zips.check(file, path.stat().st_size, named, MANIFEST)
    return manifest


def unpack(path: Path, folder: Path) -> None:
    """Write the members, which can be read alone, below `folder`, which is made.

    Raises UnknownFormat or DamagedFile, and OSError.
    """
    check(path)
    zips.write_below(folder, path)
