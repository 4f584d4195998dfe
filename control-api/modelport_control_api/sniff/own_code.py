"""What an upload with Python code of a user's own consists of. The code is read as text, and never parsed."""

import keyword
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from modelport_formats import archives, folders
from modelport_formats.folders import Member
from modelport_formats.own_code import MANIFEST, is_archive, sources
from modelport_formats.own_code.archive import Manifest, check
from modelport_formats.own_code.archive import pieces as archive_pieces
from modelport_formats.signatures import ZIP

from modelport_control_api.errors import InvalidFields
from modelport_control_api.sniff.archived import pieces_of
from modelport_control_api.sniff.errors import UnsupportedFormat, as_refusals

FIELD = "code"
_HEAD_BYTES = 64
_CHUNK = 1 << 20
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]{0,99}")
_MAX_MODULE_NAME = 60


@dataclass(frozen=True, slots=True)
class Code:
    """`path`: a module, or a zip; `root`: the folder in that, as `name/` or "", None of a module.

    `entry`: the module that is imported; None: a zip of modules that a model file names, and no more.
    """

    path: Path
    root: str | None
    entry: str | None
    defines_model: bool

    def modules(self) -> frozenset[str]:
        """Return the names that its modules and packages are imported by. Raises FormatError."""
        if self.root is None:
            return frozenset({PurePosixPath(self.entry or sources.ENTRY).stem})
        tops = (each.name.partition("/")[0] for each in self.members() if each.name.endswith(".py"))
        return frozenset(name.removesuffix(".py") for name in tops)

    def members(self) -> Iterator[Member]:
        """Yield its files by their names in the archive that is made of them. Raises FormatError."""
        if self.root is None:
            yield _whole(self.path, self.entry or sources.ENTRY)
            return
        for each in _kept(self.path):
            if each.name.startswith(self.root) and each.name != f"{self.root}{MANIFEST}":
                yield replace(each, name=each.name.removeprefix(self.root))


def read_code(path: Path, file_name: str) -> Code:
    """Return what the part `code` is: a module, or a zip of modules. Blocking. Raises InvalidFields."""
    try:
        return read_alone(path, file_name)
    except UnsupportedFormat as error:
        raise InvalidFields((FIELD, error.detail[:1].lower() + error.detail[1:])) from error


def read_alone(path: Path, file_name: str) -> Code:
    """The same of a file that is code itself. Raises UnsupportedFormat or CorruptArtifact."""
    with as_refusals():
        return _of_zip(path) if _begins(path).startswith(ZIP) else _of_module(path, file_name)


def modules_of(path: Path) -> Code:
    """Return a zip as modules that a model file names, and no more, whatever their names are."""
    return Code(path, "", None, defines_model=False)


def is_own_archive(path: Path) -> bool:
    """Return whether it is what the platform made of such an upload before."""
    return is_archive(_begins(path))


def read_manifest(path: Path) -> Manifest:
    """Return what such an archive consists of. Raises UnsupportedFormat or CorruptArtifact."""
    with as_refusals():
        return check(path)


def code_in(path: Path, manifest: Manifest) -> Code:
    """Return the code in such an archive. Raises UnsupportedFormat or CorruptArtifact."""
    text = b"".join(pieces_of(path, manifest.entry)) if manifest.entry else b""
    return Code(path, "", manifest.entry, sources.defines_model(text))


def pieces(code: Code, model: Path | None, model_name: str) -> Iterator[bytes]:
    """Yield the archive of the code and the model file. Raises UnsupportedFormat or CorruptArtifact."""
    with as_refusals():
        members = list(code.members())
        names = {each.name for each in members}
        chosen = _name_of(model_name, names) if model else None
        if model is not None and chosen is not None:
            members.append(_whole(model, chosen))
        yield from archive_pieces(Manifest(code.entry, chosen), members)


def _of_module(path: Path, file_name: str) -> Code:
    content = path.read_bytes() if path.stat().st_size <= sources.MAX_MODULE_BYTES else b""
    if not content:
        raise InvalidFields((FIELD, f"is a module of more than {sources.MAX_MODULE_BYTES >> 20} MiB"))
    if not sources.is_text(content):
        raise InvalidFields((FIELD, "is neither a module of Python (text in UTF-8) nor a zip of modules"))
    return Code(path, None, f"{_module_name(file_name)}.py", sources.defines_model(content))


def _of_zip(path: Path) -> Code:
    names = {each.name for each in _kept(path)}
    root = sources.root_of(names)
    if root is None:
        if not any(name.endswith(".py") for name in names):
            raise UnsupportedFormat("The zip holds no module of Python (.py).")
        return modules_of(path)
    with path.open("rb") as file:
        text = archives.read(file, f"{root}{sources.ENTRY}", sources.MAX_MODULE_BYTES + 1)
    if not sources.is_text(text):
        raise UnsupportedFormat(
            f"The zip's {sources.ENTRY} is no text in UTF-8, or has more than "
            f"{sources.MAX_MODULE_BYTES >> 20} MiB."
        )
    return Code(path, root, sources.ENTRY, sources.defines_model(text))


def _kept(path: Path) -> Iterator[Member]:
    """Yield the files of a zip without strays; all are checked. Raises FormatError."""
    with path.open("rb") as file:
        found = [
            each for each in folders.members(file, path.stat().st_size) if not sources.is_stray(each.name)
        ]
    for each in found:
        yield Member(each.name, each.size, lambda name=each.name: _unzipped(path, name))  # type: ignore[misc]  # a lambda's default


def _unzipped(path: Path, name: str) -> Iterator[bytes]:
    with (
        path.open("rb") as file,
        archives.opened(file) as archive,
        archives.member(archive, archive.getinfo(name), file) as content,
    ):
        yield from iter(lambda: content.read(_CHUNK), b"")


def _whole(path: Path, name: str) -> Member:
    return Member(name, path.stat().st_size, lambda: _chunks(path))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_CHUNK), b"")


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _module_name(file_name: str) -> str:
    """A pickle may name the module that its class was imported from: it keeps its name, if it can be one."""
    stem = PurePosixPath(file_name.replace("\\", "/")).name.removesuffix(".py")
    is_module = stem.isidentifier() and stem.isascii() and not keyword.iskeyword(stem)
    known = stem in sys.stdlib_module_names or len(stem) > _MAX_MODULE_NAME
    return stem if is_module and not known else sources.ENTRY.removesuffix(".py")


def _name_of(file_name: str, taken: Iterable[str]) -> str:
    """Its own, which the code may open it by, or `model` where that cannot be."""
    name = PurePosixPath(file_name.replace("\\", "/")).name
    tops = {each.partition("/")[0] for each in taken}
    for chosen in (name, "model", "model.file"):
        if _PLAIN_NAME.fullmatch(chosen) and chosen not in tops and not chosen.endswith(".py"):
            return chosen
    raise InvalidFields((FIELD, "holds files named model and model.file: name them otherwise"))
