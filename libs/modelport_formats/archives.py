"""Zip archives, as which skops, Keras and PyTorch write their files. What is in them is only read as text."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from lzma import LZMAError
from typing import IO, Any, BinaryIO

from modelport_formats.errors import DamagedFile, UnknownFormat
from modelport_formats.signatures import Format

# A directory of millions of entries fits in a file and would take gigabytes to list.
_MAX_READ_BYTES = 8 << 20
# zipfile gives liblzma no limit; a member may ask for 4 GiB.
_MAX_DICTIONARY_BYTES = 64 << 20
_SCHEMA_HEAD_BYTES = 2 << 20
_LOCAL_HEADER = struct.Struct("<26xHH")
_LZMA_PROPERTIES = struct.Struct("<2xH1xI")
_CHUNK = 1024 * 1024
_KERAS = {"metadata.json", "config.json"}
_MODULE = re.compile(rb'"__module__"\s*:\s*"([\w.]+)"')


def check_end(file: BinaryIO) -> None:
    """Raise DamagedFile if the directory, which a zip archive ends with, is not there."""
    if not zipfile.is_zipfile(_Bounded(file)):
        raise DamagedFile("The file begins as a zip archive and is cut short.")


def skops_module(file: BinaryIO) -> str:
    """Return the module of the model's class. Raises UnknownFormat (another zip) or DamagedFile."""
    module = _MODULE.search(schema(file, _SCHEMA_HEAD_BYTES))
    if module is None:
        raise DamagedFile(
            "The file is a zip archive with a schema.json that names no class: not written by skops."
        )
    return module.group(1).decode()


def format_of(names: Collection[str]) -> Format:
    """Return the format of an archive with members of these names; skops' if it is no other."""
    if set(names) >= _KERAS or ("model.weights.h5" in names and "schema.json" not in names):
        return Format.KERAS
    if "schema.json" not in names and any(name.rpartition("/")[2] == "saved_model.pb" for name in names):
        return Format.SAVED_MODEL
    return Format.SKOPS


def schema(file: BinaryIO, limit: int) -> bytes:
    """Return the beginning of what a skops file says of its objects. Raises UnknownFormat or DamagedFile."""
    with opened(file) as archive:
        try:
            info = archive.getinfo("schema.json")
        except KeyError:
            raise UnknownFormat(
                "The file is a zip archive, but of no model that Modelport knows (skops, Keras, SavedModel, "
                "a folder of MLflow, MLServer, AutoGluon or Hugging Face, one model file, or code of your "
                "own with a model.py)."
            ) from None
        with member(archive, info, file) as content:
            return _beginning(content, limit)


def members(file: BinaryIO) -> list[zipfile.ZipInfo]:
    """Return what the archive's directory lists. Raises UnknownFormat or DamagedFile."""
    with opened(file) as archive:
        return archive.infolist()


def read(file: BinaryIO, name: str, limit: int) -> bytes:
    """Return the beginning of the member of that name. Raises UnknownFormat or DamagedFile."""
    with opened(file) as archive, member(archive, archive.getinfo(name), file) as content:
        return _beginning(content, limit)


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield all members, one after the other. Raises UnknownFormat or DamagedFile."""
    with opened(file) as archive:
        for info in archive.infolist():
            with member(archive, info, file) as content:
                while piece := content.read(_CHUNK):
                    yield piece


def names(file: BinaryIO) -> list[str]:
    """Return the names of all members. Raises UnknownFormat or DamagedFile."""
    check_end(file)
    return [info.filename for info in members(file)]


def _beginning(source: IO[bytes], limit: int) -> bytes:
    """Read in pieces: of a stored member zipfile reads as much of the file at once as is requested."""
    content = bytearray()
    while piece := source.read(min(_CHUNK, limit - len(content))):
        content += piece
    return bytes(content)


@contextmanager
def opened(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open an archive. What goes wrong in it meanwhile is raised as UnknownFormat or DamagedFile."""
    with damage_told(), zipfile.ZipFile(_Bounded(file)) as archive:
        yield archive


@contextmanager
def damage_told() -> Iterator[None]:
    """Raise what zipfile and what it unpacks with raise as DamagedFile."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        LZMAError,
        struct.error,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
        ValueError,
    ) as error:
        # zipfile raises RuntimeError for encrypted entries and NotImplementedError for odd compressions.
        raise DamagedFile(f"The file is a zip archive, but damaged: {error}.") from None


def member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: BinaryIO) -> IO[bytes]:
    """Open a member of the archive in `file`. Raises UnknownFormat for one that takes too much memory."""
    if info.compress_type == zipfile.ZIP_LZMA and _dictionary_bytes(info, file) > _MAX_DICTIONARY_BYTES:
        raise UnknownFormat(
            f"The file is a zip archive, and unpacking {info.filename} takes more than "
            f"{_MAX_DICTIONARY_BYTES >> 20} MiB of memory."
        )
    return archive.open(info)


def _dictionary_bytes(info: zipfile.ZipInfo, file: BinaryIO) -> int:
    """Return what the head of a member that is compressed with LZMA asks for."""
    file.seek(info.header_offset)
    name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    file.seek(name + extra, io.SEEK_CUR)
    _, size = _LZMA_PROPERTIES.unpack(file.read(_LZMA_PROPERTIES.size))
    return int(size)


class _Bounded:
    """A file of which no more is read at a time than a directory may have."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, _MAX_READ_BYTES + 1) if size >= 0 else _MAX_READ_BYTES + 1)
        if len(data) > _MAX_READ_BYTES:
            raise UnknownFormat("The file is a zip archive with more entries than any model has.")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
