"""A file in an archive that was uploaded."""

from collections.abc import Iterator
from pathlib import Path

from modelport_formats import folders

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
