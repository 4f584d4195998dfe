"""What PyTorch writes: zip archives of several kinds, told apart by their members. Nothing is unpickled."""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipInfo

from modelport_formats import archives, pickles
from modelport_formats.errors import DamagedFile, FormatError, UnknownFormat

_MAX_UNPACKED_BYTES = 256 << 20
"""Of what is compressed or lies in several members at once; weights are neither."""
_MAX_PROGRAM_BYTES = 64 << 20
_MAX_FORMAT_BYTES = 64
_PROGRAM = re.compile(r"(?:[^/]+/)?models/([^/]+)\.json")
_VERSION = re.compile(rb'"torch_version": ?"(\d[\d.]{2,30})')
# Of PyTorch before 1.6, which wrote no archives: a pickle of this number.
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_SAFETENSORS = re.compile(rb".{4}\0{4}\{\s*\"", re.DOTALL)
# What torch.save names for tensors alone.
_OF_TENSORS = re.compile(
    r"collections\.OrderedDict|torch\.(?:_utils\._rebuild\w+|storage\.\w+|\w*Storage|\w+)"
)
_HOW_TO_EXPORT = (
    " Export the network itself, with two rows or more as the example, and upload model.pt2:\n"
    'rows = {0: torch.export.Dim("rows")}\n'
    "program = torch.export.export(model.eval(), (example,), dynamic_shapes=(rows,))\n"
    'torch.export.save(program, "model.pt2")'
)


class Kind(StrEnum):
    """The two that can be served."""

    EXPORTED = "torch.export"
    SCRIPT = "TorchScript"


def kind_of(file: BinaryIO, size: int) -> Kind | None:
    """Return which of PyTorch's archives a zip file is; None: it is not PyTorch's.

    Raises DamagedFile, or UnknownFormat for what PyTorch wrote but nobody can serve.
    """
    members = {info.filename: info for info in archives.members(file)}
    if min((info.header_offset for info in members.values()), default=0):
        # PyTorch's archives hold smaller ones, whose directory is found where the end is missing.
        raise DamagedFile("The file begins as a zip archive and is cut short.")
    top = _top(members)
    if f"{top}archive_format" in members:
        _check_exported(file, members, top)
        kind = Kind.EXPORTED
    elif f"{top}constants.pkl" in members and any(name.startswith(f"{top}code/") for name in members):
        kind = Kind.SCRIPT
    elif f"{top}data.pkl" in members:
        raise UnknownFormat(_saved(archives.read(file, f"{top}data.pkl", pickles.OPENING_BYTES)))
    elif "serialized_exported_program.json" in members:
        raise UnknownFormat(
            "The file was exported by a PyTorch before 2.8, in a form that is not read any more. "
            'Export it again with a newer one: torch.export.save(program, "model.pt2").'
        )
    else:
        return None
    _check_sizes(members.values(), size)
    return kind


def kind_at(path: Path) -> Kind | None:
    """Return the kind of the file at `path`. Blocking. Raises as `kind_of` does, and OSError."""
    with path.open("rb") as file:
        return kind_of(file, path.stat().st_size)


def program(path: Path) -> bytes:
    """Return the JSON text of an exported program. Blocking. Raises DamagedFile or UnknownFormat."""
    with path.open("rb") as file:
        names = [info.filename for info in archives.members(file)]
        (name,) = [name for name in names if _PROGRAM.fullmatch(name)]
        text = archives.read(file, name, _MAX_PROGRAM_BYTES + 1)
    if len(text) > _MAX_PROGRAM_BYTES:
        raise UnknownFormat(f"The exported program has more than {_MAX_PROGRAM_BYTES >> 20} MiB of graph.")
    return text


def version(path: Path) -> dict[str, str]:
    """Return the version of PyTorch that exported the program, without the build; none of TorchScript."""
    try:
        found = _VERSION.search(program(path)) if kind_at(path) is Kind.EXPORTED else None
    except FormatError:
        return {}
    return {"torch": found[1].decode()} if found else {}


def refuse_weights(head: bytes) -> None:
    """Raise UnknownFormat for the first bytes of weights that are in no archive."""
    if head.startswith(_LEGACY):
        raise UnknownFormat(f"The file was written by torch.save of a PyTorch before 1.6.{_HOW_TO_EXPORT}")
    if _SAFETENSORS.match(head):
        raise UnknownFormat(
            f"The file is safetensors: weights without the network that they belong to.{_HOW_TO_EXPORT}"
        )


def refuse_network(first_class: str | None) -> None:
    """Raise UnknownFormat if what a pickle holds is a network of PyTorch's own classes."""
    if first_class is not None and first_class.startswith("torch."):
        raise UnknownFormat(f"The file is a pickle of PyTorch's {first_class}.{_HOW_TO_EXPORT}")


def _top(members: dict[str, ZipInfo]) -> str:
    """PyTorch puts all members below one folder, named as the file was."""
    first = next(iter(members), "")
    folder, slash, _ = first.partition("/")
    return f"{folder}/" if slash and all(name.startswith(f"{folder}/") for name in members) else ""


def _check_exported(file: BinaryIO, members: dict[str, ZipInfo], top: str) -> None:
    written = archives.read(file, f"{top}archive_format", _MAX_FORMAT_BYTES).strip()
    if written != b"pt2":
        raise UnknownFormat(
            f"The file is a PyTorch archive of the format {written.decode(errors='replace')!r}, not pt2."
        )
    programs = [name for name in members if _PROGRAM.fullmatch(name)]
    if any(name.startswith(f"{top}data/aotinductor/") for name in members):
        raise UnknownFormat(
            f"The file holds compiled code (AOTInductor), which is never run here.{_HOW_TO_EXPORT}"
        )
    if programs != [f"{top}models/model.json"]:
        raise UnknownFormat(
            f"The file is a PyTorch archive with {len(programs)} exported programs: "
            'upload one with a single program, as torch.export.save(program, "model.pt2") writes it.'
        )


def _check_sizes(members: Iterable[ZipInfo], size: int) -> None:
    unpacked = sum(info.file_size for info in members)
    if unpacked - size > _MAX_UNPACKED_BYTES:
        raise UnknownFormat(
            f"The file is a PyTorch archive of {size >> 20} MiB that unpacks to {unpacked >> 20} MiB. "
            f"Not more than {_MAX_UNPACKED_BYTES >> 20} MiB may be saved by compression."
        )


def _saved(opening: bytes) -> str:
    """Say what torch.save wrote, by what its pickle names."""
    try:
        named = [f"{module}.{name}" for module, name in pickles.references(opening)]
    except (ValueError, pickles.NotAPickle):
        raise DamagedFile("The file is a PyTorch archive whose data.pkl is damaged.") from None
    other = next((name for name in named if not _OF_TENSORS.fullmatch(name)), None)
    if other is None:
        return f"The file is a state_dict or tensors: weights without the network.{_HOW_TO_EXPORT}"
    return (
        f"The file is a pickle of torch.save(model), which names {other}: its code is not in the file."
        f"{_HOW_TO_EXPORT}"
    )
