"""What an archive holds: the names of its files, and the texts of those that say what a folder is."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from modelport_formats import archives
from modelport_formats.errors import FormatError
from modelport_formats.folders import Member, is_compressed_tar, is_tar, members
from modelport_formats.frameworks import torch_files
from modelport_formats.own_code import is_archive, sources
from modelport_formats.signatures import ZIP, Format
from modelport_http.wording import counted

from modelport_control_api.sniff.errors import CorruptArtifact, UnsupportedFormat

_HEAD_BYTES = 512
_MAX_TEXTS = 200
_POINTER_BYTES = 1024
_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass
class Contents:
    """`names`: of all files, in their order. `texts`: of those that were kept."""

    names: list[str] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    pointers: set[str] = field(default_factory=set)

    def root_of(self, marker: str, kind: str) -> str | None:
        """Return the folder of the file `marker`, "" or with its slash; None: there is none near the top.

        Raises UnsupportedFormat if there are two, or if it is longer than any.
        """
        found = [(depth, name) for name in self.names if (depth := depth_of(name, marker)) is not None]
        outermost = [name for depth, name in found if depth == min(found)[0]]
        if len(outermost) > 1:
            raise UnsupportedFormat(
                f"The archive holds {counted(len(outermost), f'{kind} model')} "
                f"({', '.join(sorted(outermost))[:200]}): pack the folder of one of them."
            )
        if not outermost:
            return None
        if outermost[0] not in self.texts:
            raise UnsupportedFormat(f"The folder's {marker} is longer than any that {kind} writes.")
        return outermost[0].removesuffix(marker)

    def json(self, name: str) -> Any:
        """Return what a file that is kept says. Raises CorruptArtifact."""
        try:
            return json.loads(self.texts[name])
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
            raise CorruptArtifact(f"The folder's {shown(name)} is not JSON: {reason}.") from None

    def text_of(self, name: str) -> str | None:
        """Return the text of a file that is kept; None: it is not there."""
        content = self.texts.get(name)
        return None if content is None else content.decode(errors="replace")

    def require_weights(self, names: Collection[str]) -> None:
        """Raise UnsupportedFormat for a file whose place a pointer of Git LFS has taken."""
        for name in names:
            if name in self.pointers:
                raise UnsupportedFormat(
                    f"The folder's {shown(name)} is a pointer of Git LFS and not the file itself. Run "
                    "git lfs pull in the clone, or download the files themselves, and pack the folder again."
                )


def shown(name: str) -> str:
    """Return a member's name, of bounded length."""
    return name[-100:]


def depth_of(name: str, marker: str) -> int | None:
    """Return how many folders the file `marker` is in, at most one; None for any other file."""
    folder, _, last = name.rpartition("/")
    return int(bool(folder)) if last == marker and "/" not in folder else None


def read(file: BinaryIO, size: int, kept: Mapping[str, int]) -> Contents | None:
    """Return what the archive holds; None: it is none, or one that is a model itself.

    `kept`: the names of files whose texts are wanted, with the most bytes these may have.
    Raises UnknownFormat, DamagedFile or UnsupportedFormat.
    """
    if not _may_hold_a_folder(file, size):
        return None
    contents = Contents()
    for member in members(file, size):
        contents.names.append(member.name)
        most = kept.get(member.name.rpartition("/")[2], 0)
        if member.size <= max(most, _POINTER_BYTES) and len(contents.texts) < _MAX_TEXTS:
            text = _text(member)
            if text.startswith(_POINTER):
                contents.pointers.add(member.name)
            elif most:
                contents.texts[member.name] = text
    return contents


def _may_hold_a_folder(file: BinaryIO, size: int) -> bool:
    """Return whether it is worth reading: of a zip, whose list is at its end, the names tell."""
    head = file.read(_HEAD_BYTES)
    try:
        if head.startswith(ZIP):
            return not is_archive(head) and not _is_model(file, size)
        return is_tar(head) or is_compressed_tar(file)
    except FormatError:
        # What is wrong with it is said where it is detected.
        return False


def _is_model(file: BinaryIO, size: int) -> bool:
    names = archives.names(file)
    if "schema.json" in names or archives.format_of(names) is Format.KERAS:
        return True
    return torch_files.kind_of(file, size) is not None


def _text(member: Member) -> bytes:
    """A zip's list may lie about sizes: the bytes that come count."""
    content = bytearray()
    for piece in member.pieces():
        content += piece
        if len(content) > member.size:
            raise UnsupportedFormat(f"The folder's {shown(member.name)} is longer than the archive says.")
    return bytes(content)


def is_own_code(contents: Contents) -> bool:
    """Return whether its `model.py` is what is served."""
    return sources.root_of(contents.names) is not None
