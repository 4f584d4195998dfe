"""Finds the folder in an archive, and gives the bytes of its model file."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from modelport_formats import archives
from modelport_formats.errors import FormatError
from modelport_formats.folders import Member, is_compressed_tar, is_tar, members
from modelport_formats.signatures import ZIP

from modelport_control_api.sniff.errors import UnsupportedFormat, as_refusals
from modelport_control_api.sniff.mlflow.examples import row_of
from modelport_control_api.sniff.mlflow.flavors import model_file, read_mlmodel

MLMODEL = "MLmodel"
# The first says of itself what it is.
_EXAMPLES = ("serving_input_example.json", "input_example.json")
_REQUIREMENTS = "requirements.txt"
_MLFLOW = re.compile(r"\s*mlflow(-skinny|-tracing)?\s*([=<>~!;\[]|$)")
_MAX_MLMODEL_BYTES = 512 << 10
_MAX_EXAMPLE_BYTES = 1 << 20
_HEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class MlflowFolder:
    """`file`: the model's name in the archive. `row`: of its input example; None: there is none.

    `requirements`: the text of its requirements.txt, without MLflow itself; None: there is none."""

    flavor: str
    file: str
    row: Any
    requirements: str | None = None


def find(path: Path) -> MlflowFolder | None:
    """Return what of the archive is served; None: it holds no MLmodel at its root or one folder below.

    Blocking. Raises UnsupportedFormat or CorruptArtifact.
    """
    with path.open("rb") as file, as_refusals():
        if not _may_hold_one(file):
            return None
        contents = _read(file, path.stat().st_size)
    root = contents.root()
    if root is None:
        return None
    flavor, name = model_file(read_mlmodel(contents.texts[f"{root}{MLMODEL}"]), contents.names, root)
    examples = (contents.texts.get(f"{root}{each}") for each in _EXAMPLES)
    rows = (row_of(each) for each in examples if each is not None)
    row = next((row for row in rows if row is not None), None)
    return MlflowFolder(flavor, name, row, _without_mlflow(contents.texts.get(f"{root}{_REQUIREMENTS}")))


def _without_mlflow(content: bytes | None) -> str | None:
    """The platform reads the folder, so nothing of MLflow is needed to predict."""
    if content is None:
        return None
    lines = content.decode(errors="replace").splitlines(keepends=True)
    return "".join(line for line in lines if not _MLFLOW.match(line))


def _may_hold_one(file: BinaryIO) -> bool:
    """Return whether it is worth reading: of a zip, whose list is at its end, whether it names an MLmodel."""
    head = file.read(_HEAD_BYTES)
    try:
        if head.startswith(ZIP):
            with archives.opened(file) as archive:
                return any(_depth_of(name) is not None for name in archive.namelist())
        return is_tar(head) or is_compressed_tar(file)
    except FormatError:
        # What is wrong with it is said where it is detected.
        return False


@dataclass
class _Contents:
    names: list[str] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)

    def root(self) -> str | None:
        """Return the folder of the MLmodel, the outermost. Raises UnsupportedFormat if there are two."""
        found = [(depth, name) for name in self.texts if (depth := _depth_of(name)) is not None]
        outermost = [name for depth, name in found if depth == min(found)[0]]
        if len(outermost) > 1:
            raise UnsupportedFormat(
                f"The archive holds {len(outermost)} MLflow models ({', '.join(sorted(outermost))[:200]}): "
                "pack the folder of one of them."
            )
        return outermost[0].removesuffix(MLMODEL) if outermost else None


def _read(file: BinaryIO, size: int) -> _Contents:
    contents = _Contents()
    for member in members(file, size):
        contents.names.append(member.name)
        if _depth_of(member.name) is not None:
            if member.size > _MAX_MLMODEL_BYTES:
                raise UnsupportedFormat(f"The folder's MLmodel has more than {_MAX_MLMODEL_BYTES >> 10} KiB.")
            contents.texts[member.name] = _text(member, _MAX_MLMODEL_BYTES)
        elif member.name.endswith((*_EXAMPLES, _REQUIREMENTS)) and member.size <= _MAX_EXAMPLE_BYTES:
            contents.texts[member.name] = _text(member, _MAX_EXAMPLE_BYTES)
    return contents


def _depth_of(name: str) -> int | None:
    """Return how many folders an MLmodel is in, at most one; None for any other file."""
    folder, _, last = name.rpartition("/")
    return int(bool(folder)) if last == MLMODEL and "/" not in folder else None


def _text(member: Member, most: int) -> bytes:
    """A zip's list may lie about sizes: the bytes that come count."""
    content = bytearray()
    for piece in member.pieces():
        content += piece
        if len(content) > most:
            raise UnsupportedFormat(f"The folder's {member.name[-100:]} is longer than the archive says.")
    return bytes(content)
