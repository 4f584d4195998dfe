"""Archives that Modelport writes of several files, to be one artifact: canonical zips, a manifest first.

Whatever else claims to be one is read as a hostile file.
"""

from pathlib import Path

from modelport_formats.signatures import ZIP

_NAME_AT = 30


def begins_with(head: bytes, manifest: str) -> bool:
    """Return whether a file that begins so, with 64 bytes or more, has the manifest as its first member."""
    return head.startswith(ZIP) and head[_NAME_AT:].startswith(manifest.encode())


def unpacked(path: Path) -> Path:
    """Return the folder where the init container puts the members of the archive at `path`."""
    return path.with_name(f"{path.name}.unpacked")
