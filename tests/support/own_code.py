"""Uploads with code of a user's own, as the control API and the init container leave them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from modelport_formats.folders import Member
from modelport_formats.own_code.archive import Manifest, pieces
from modelport_runtime.fetch import fetch


def archive(
    files: Mapping[str, bytes | str], *, entry: str | None = "model.py", model: str | None = None
) -> bytes:
    """Return the archive of these files."""
    members = [_member(name, content) for name, content in files.items()]
    return b"".join(pieces(Manifest(entry, model), members))


def fetched(
    folder: Path,
    files: Mapping[str, bytes | str],
    *,
    entry: str | None = "model.py",
    model: str | None = None,
) -> Path:
    """Return the archive's path, where the init container put it and unpacked it."""
    source = folder / "uploaded"
    source.write_bytes(archive(files, entry=entry, model=model))
    place = folder / "artifact"
    place.mkdir(exist_ok=True)
    fetch(source.as_uri(), hashlib.sha256(source.read_bytes()).hexdigest(), place / "model")
    return place / "model"


def _member(name: str, content: bytes | str) -> Member:
    data = content.encode() if isinstance(content, str) else content
    return Member(name, len(data), lambda: iter([data]))
