"""Python code of a user's own, alone or beside a model file, as one file: a zip archive of a fixed form.

It is written by the control API from what was uploaded, and unpacked by the init container. Whatever else
claims to be one is read as a hostile file.
"""

from pathlib import Path

from modelport_formats.signatures import ZIP

MANIFEST = ".modelport.json"
"""The archive's first member: which of the others is imported, and which is the model file."""
_NAME_AT = 30


def is_archive(head: bytes) -> bool:
    """Return whether a file that begins so, with 64 bytes or more, is such an archive."""
    return head.startswith(ZIP) and head[_NAME_AT:].startswith(MANIFEST.encode())


def unpacked(path: Path) -> Path:
    """Return the folder where the init container puts the members of the archive at `path`."""
    return path.with_name(f"{path.name}.unpacked")
