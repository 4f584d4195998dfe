"""Files in an archive that was uploaded."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

from modelport_formats import folders
from modelport_formats.folders import Member
from modelport_formats.packed.zips import zipped

from modelport_control_api.sniff.errors import as_refusals


def pieces_of(path: Path, name: str) -> Iterator[bytes]:
    """Yield the bytes of the member of that name, which is there, of the archive at `path`.

    Raises UnsupportedFormat or CorruptArtifact.
    """
    with path.open("rb") as file, as_refusals():
        for member in folders.members(file, path.stat().st_size):
            if member.name == name:
                yield from member.pieces()
                return


def packed(path: Path, wanted: Mapping[str, str] | str, marker: str | None = None) -> Iterator[bytes]:
    """Yield a zip of members of the archive at `path`, by other names: or of all in a folder, by those in it.

    `marker`: the name of an empty file before them. Raises UnsupportedFormat or CorruptArtifact.
    """
    with path.open("rb") as file, as_refusals():
        chosen = _renamed(folders.members(file, path.stat().st_size), wanted)
        yield from zipped(chosen if marker is None else chain([Member(marker, 0, lambda: iter(()))], chosen))


def _renamed(members: Iterator[Member], wanted: Mapping[str, str] | str) -> Iterator[Member]:
    for each in members:
        if isinstance(wanted, str):
            name = each.name.removeprefix(wanted) if each.name.startswith(wanted) else None
        else:
            name = wanted.get(each.name)
        if name is not None:
            yield replace(each, name=name)
